//! The design of a mail database: what the reader must pass by to find the mails.

use super::Mailbox;
use crate::forge::ForgeError;
use crate::forge::access::Access;
use crate::forge::note::{ItemSpec, NoteSpec};
use crate::notes::document::NoteStatus;
use crate::notes::item::{ItemFlags, ItemType};

const FORM: u16 = 0x0004;
const VIEW: u16 = 0x0008;
const ICON: u16 = 0x0010;
const ACCESS_LIST: u16 = 0x0040;

const FORMS: [&str; 4] = ["Reply", "Appointment", "Person", "Task"];
const VIEWS: [&str; 5] = ["($Sent)", "($Drafts)", "($All)", "($Calendar)", "($ToDo)"];

const ROLES: [&str; 1] = ["Assistants"];
/// The owner, a colleague who helps out, and a server.
const ACCESS: [Access<'_>; 4] = [
    Access { name: "-Default-", level: 0, flags: 0x0200, roles: &[] },
    Access { name: "CN=Jane Doe/OU=Sales/O=Example", level: 6, flags: 0x07B8, roles: &[] },
    Access { name: "CN=Bob Ray/OU=Sales/O=Example", level: 4, flags: 0x003C, roles: &[0] },
    Access { name: "LocalDomainServers", level: 6, flags: 0x07DA, roles: &[] },
];

/// Icon, access list, forms and views.
pub(super) fn write(mailbox: &mut Mailbox) -> Result<(), ForgeError> {
    let title = ItemSpec::text("$TITLE", "Jane Doe");
    let bitmap = ItemSpec::new("IconBitmap", ItemType(0x0006), (0..646u32).map(|k| (k * 37) as u8).collect());
    add(mailbox, ICON | NoteSpec::DEFAULT, vec![title, bitmap])?;
    let digest = ItemSpec::new("$ACLDigest", ItemType::USERDATA, vec![0x5A; 16]).flagged(ItemFlags::SIGN);
    add(mailbox, ACCESS_LIST | NoteSpec::DEFAULT, vec![digest])?;
    mailbox.writer.add_access_list(&ROLES, &ACCESS)?;
    add(mailbox, VIEW | NoteSpec::DEFAULT, view("All documents"))?;
    for name in VIEWS {
        add(mailbox, VIEW, view(name))?;
    }
    add(mailbox, FORM | NoteSpec::DEFAULT, form("Memo"))?;
    for name in FORMS {
        add(mailbox, FORM, form(name))?;
    }
    Ok(())
}

fn add(mailbox: &mut Mailbox, class: u16, items: Vec<ItemSpec>) -> Result<(), ForgeError> {
    let (unid, time) = mailbox.next_identity();
    let updated_by =
        ItemSpec::texts("$UpdatedBy", &["CN=Mail Template Signer/O=Example"]).flagged(ItemFlags::NAMES);
    let note = NoteSpec::design(class, unid, time).with(items).with([updated_by]);
    mailbox.writer.add_note(&note).map(drop)
}

fn view(name: &str) -> Vec<ItemSpec> {
    let formula = ItemSpec::new("$Formula", ItemType::FORMULA, b"SELECT @All;".repeat(30));
    vec![
        ItemSpec::text("$TITLE", name).typed(),
        ItemSpec::text("$Flags", "Y"),
        formula.compressed(),
        ItemSpec::text("$FormulaClass", "1"),
    ]
}

fn form(name: &str) -> Vec<ItemSpec> {
    let fields: Vec<u8> = (0..400u32).flat_map(|field| [0x81, 2, 0x83, 4, field as u8 % 4, 0]).collect();
    vec![
        ItemSpec::text("$TITLE", name).typed(),
        ItemSpec::text("$Flags", ""),
        ItemSpec::rich_text("$Body", fields).compressed(),
    ]
}

/// The profile that names the owner, and the placeholder of a parent that was never here.
pub(super) fn write_hidden(mailbox: &mut Mailbox, owner: &str) -> Result<(), ForgeError> {
    let (unid, time) = mailbox.next_identity();
    mailbox.writer.add_note(&NoteSpec::calendar_profile(unid, time, owner))?;
    let (unid, time) = mailbox.next_identity();
    let placeholder = NoteSpec { status: NoteStatus::GHOST, ..NoteSpec::document(unid, time) };
    mailbox.writer.add_note(&placeholder).map(drop)
}
