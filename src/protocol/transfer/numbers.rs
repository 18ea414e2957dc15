//! The numbers by which the closed lists of `model` travel. A number never changes its meaning; new ones are appended.
//!
//! A number that only a newer peer knows becomes the most general member, and nothing that it told is dropped.

use crate::model::folder::FolderRole;
use crate::model::loss::{Loss, LossKind, SetAside, SetAsideReason};

const LOSSES: &[(u16, LossKind)] = &[
    (1, LossKind::AddressUnresolved),
    (2, LossKind::AddressListsDiffer),
    (3, LossKind::SenderUnknown),
    (4, LossKind::DateSubstituted),
    (5, LossKind::DateInvalid),
    (6, LossKind::DateImplausible),
    (7, LossKind::UnknownForm),
    (8, LossKind::HiddenFolder),
    (9, LossKind::SecondBodyDropped),
    (10, LossKind::DuplicateItem),
    (11, LossKind::ListsDiffer),
    (12, LossKind::TextDamaged),
    (13, LossKind::RichTextDamaged),
    (14, LossKind::ConstructDropped),
    (15, LossKind::ActionDropped),
    (16, LossKind::LinkDropped),
    (17, LossKind::FormulaNotComputed),
    (18, LossKind::HideFormulaIgnored),
    (19, LossKind::ImageDropped),
    (20, LossKind::ImageDamaged),
    (21, LossKind::ObjectFlattened),
    (22, LossKind::FormattingDropped),
    (23, LossKind::AttachmentDropped),
    (24, LossKind::AttachmentMissing),
    (25, LossKind::AttachmentExternal),
    (26, LossKind::AttachmentCompressed),
    (27, LossKind::Encrypted),
    (28, LossKind::NotesSignatureDropped),
    (29, LossKind::Truncated),
    (30, LossKind::ConflictCopySkipped),
    (31, LossKind::EndInvalid),
    (32, LossKind::ZoneUnknown),
    (33, LossKind::SeriesSplit),
    (34, LossKind::InstancesMissing),
    (35, LossKind::ObsoleteEntry),
    (36, LossKind::MemberUnresolved),
    (37, LossKind::KeywordRefused),
    (38, LossKind::FlagRefused),
    (39, LossKind::DateChanged),
    (40, LossKind::FolderRenamed),
];

/// Every kind that has no number of its own, here or at the peer.
const OTHER_LOSS: u16 = 0;

const REASONS: &[(u16, SetAsideReason)] = &[
    (1, SetAsideReason::UnknownForm),
    (2, SetAsideReason::UnreadableNote),
    (3, SetAsideReason::TooLarge),
    (4, SetAsideReason::Refused),
    (5, SetAsideReason::Uncertain),
    (6, SetAsideReason::MailboxFull),
    (7, SetAsideReason::SourceChanged),
    (8, SetAsideReason::CrashedTheReader),
];

const ROLES: &[(u16, FolderRole)] = &[
    (1, FolderRole::Inbox),
    (2, FolderRole::Drafts),
    (3, FolderRole::Sent),
    (4, FolderRole::Trash),
    (5, FolderRole::Junk),
    (6, FolderRole::User),
    (7, FolderRole::Hidden),
];

fn number<T: PartialEq>(list: &[(u16, T)], member: &T) -> Option<u16> {
    list.iter().find(|(_, other)| other == member).map(|(number, _)| *number)
}

fn member<T: Copy>(list: &[(u16, T)], number: u16) -> Option<T> {
    list.iter().find(|(other, _)| *other == number).map(|(_, member)| *member)
}

pub fn loss_number(kind: LossKind) -> u16 {
    number(LOSSES, &kind).unwrap_or(OTHER_LOSS)
}

pub fn loss(kind_number: u16, detail: &str) -> Loss {
    match member(LOSSES, kind_number) {
        Some(kind) => Loss::new(kind, detail),
        None => Loss::new(LossKind::Other, detail),
    }
}

pub fn reason_number(reason: SetAsideReason) -> u16 {
    number(REASONS, &reason).unwrap_or_default()
}

pub fn set_aside(reason_number: u16, detail: &str) -> SetAside {
    SetAside::new(member(REASONS, reason_number).unwrap_or(SetAsideReason::UnreadableNote), detail)
}

pub fn role_number(role: FolderRole) -> u16 {
    number(ROLES, &role).unwrap_or_default()
}

pub fn role(role_number: u16) -> FolderRole {
    member(ROLES, role_number).unwrap_or(FolderRole::User)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_has_one_number() {
        assert!(LossKind::ALL.iter().all(|&kind| loss(loss_number(kind), "d") == Loss::new(kind, "d")));
        let reasons = SetAsideReason::ALL.iter();
        assert!(reasons.clone().all(|&why| set_aside(reason_number(why), "d") == SetAside::new(why, "d")));
        assert!(
            ROLES.iter().all(|&(number, member)| role(number) == member && role_number(member) == number)
        );
        let in_order = |numbers: Vec<u16>| numbers.into_iter().eq(1..=numbers_of(LOSSES).len() as u16);
        assert!(in_order(numbers_of(LOSSES)));
    }

    fn numbers_of<T>(list: &[(u16, T)]) -> Vec<u16> {
        list.iter().map(|(number, _)| *number).collect()
    }

    #[test]
    fn a_number_from_a_newer_peer_is_kept_in_general_terms() {
        assert_eq!(loss(9_999, "a hologram"), Loss::new(LossKind::Other, "a hologram"));
        assert_eq!(set_aside(9_999, "why"), SetAside::new(SetAsideReason::UnreadableNote, "why"));
        assert_eq!(role(9_999), FolderRole::User);
    }
}
