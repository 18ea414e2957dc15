//! `--dry-run`: reads and converts everything and says what would happen. Nothing is written anywhere.
//!
//! What is at the target is taken from the ledger alone, because a look at the target belongs to a real run.

use crate::base::limits::LIST_PAGE_ITEMS;
use crate::conversion;
use crate::model::content::{Content, ListedItem, SourceItem};
use crate::model::filter::LeftOut;
use crate::model::loss::{SetAside, SetAsideReason};
use crate::model::outcome::Tally;
use crate::model::summary::About;
use crate::modes::Failure;
use crate::modes::migrate::exports::Exports;
use crate::modes::migrate::look;
use crate::modes::migrate::report::Reporter;
use crate::server::delivery::{End, Preparer};
use crate::sources::{Source, SourceError};
use std::collections::BTreeMap;

/// What would happen, counted.
#[derive(Debug, Default)]
pub struct Preview {
    /// Documents; `delivered` counts those that would be.
    pub tally: Tally,
    /// Placements by target folder.
    pub folders: BTreeMap<String, u64>,
    /// Documents that would be delivered, by their form.
    pub forms: BTreeMap<String, u64>,
}

/// Previews a whole source, and adds each document that is opened to the exports. Gives why it is not final beside it.
///
/// # Errors
/// When the source or the ledger cannot be read.
pub fn preview(
    source: &mut dyn Source,
    preparer: &Preparer<'_>,
    exports: &mut Option<Exports>,
    reporter: &mut Reporter,
) -> Result<(Preview, Option<String>), Failure> {
    let mut preview = Preview::default();
    let mut from = None;
    loop {
        let page = source.list(from, LIST_PAGE_ITEMS)?;
        for (id, why) in &page.unreadable {
            preview.tally.found += 1;
            preview.tally.set_aside += 1;
            reporter.unreadable(*id, why);
        }
        for listed in &page.items {
            preview.tally.found += 1;
            match look(preparer, listed, exports.as_ref())? {
                Some(End::SetAside(aside)) => preview.set_aside(listed, &aside, &About::default(), reporter),
                Some(end) => {
                    match end {
                        End::RemovedByUser => preview.tally.removed_by_user += 1,
                        End::FilteredOut(_) => preview.tally.filtered_out += 1,
                        _ => preview.tally.already_there += 1,
                    }
                    reporter.known(listed.origin, &About::default(), &end);
                }
                None => match source.open(listed.id) {
                    Ok(item) => {
                        let Content::Note { note, .. } = &item.content;
                        exports.iter_mut().for_each(|exports| exports.add(note));
                        let entry = preparer.entry(listed.origin)?;
                        let left_out = preparer.left_out(&item, entry.as_ref());
                        preview.convert(listed, &item, left_out, preparer, reporter);
                    }
                    Err(SourceError::Unreadable { why, .. }) => {
                        let aside = SetAside::new(SetAsideReason::UnreadableNote, why);
                        preview.set_aside(listed, &aside, &About::default(), reporter);
                    }
                    Err(error) => return Err(error.into()),
                },
            }
            reporter.progress(&preview.tally);
        }
        from = page.next;
        if from.is_none() {
            let not_final = source.changed()?;
            return Ok((preview, not_final));
        }
    }
}

impl Preview {
    fn convert(
        &mut self,
        listed: &ListedItem,
        item: &SourceItem,
        left_out: Option<LeftOut>,
        preparer: &Preparer<'_>,
        reporter: &mut Reporter,
    ) {
        let Content::Note { note, .. } = &item.content;
        let about = conversion::about(note, preparer.settings.now_unix_ms);
        if let Some(why) = left_out {
            self.tally.filtered_out += 1;
            return reporter.known(listed.origin, &about, &End::FilteredOut(why));
        }
        match (preparer.convert)(listed, item) {
            // Part of a series that another document carries, or out of service.
            Ok(converted) if converted.placements.is_empty() => {
                self.tally.already_there += 1;
                reporter.known(listed.origin, &about, &End::AlreadyThere);
            }
            Ok(converted) => {
                *self.forms.entry(note.text("Form")).or_default() += 1;
                for folder in &converted.placements {
                    *self.folders.entry(folder.to_string()).or_default() += 1;
                }
                self.tally.delivered += 1;
                reporter.would_deliver(listed.origin, &about, &converted);
            }
            Err(_) if conversion::is_settings(note) => {
                self.tally.filtered_out += 1;
                reporter.known(listed.origin, &about, &End::FilteredOut(LeftOut::Settings));
            }
            Err(aside) => self.set_aside(listed, &aside, &about, reporter),
        }
    }

    fn set_aside(&mut self, listed: &ListedItem, aside: &SetAside, about: &About, reporter: &mut Reporter) {
        self.tally.set_aside += 1;
        reporter.set_aside(Some(listed.origin), aside, about, &[]);
    }
}
