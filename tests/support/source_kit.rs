//! What every source has to do, as one call.

use notesferry::model::content::{ListedItem, SourceItemId};
use notesferry::sources::{Cursor, Source, SourceError};
use std::collections::HashSet;

/// Runs every fact on a source whose documents nobody changes meanwhile.
pub fn check(mut open: impl FnMut() -> Box<dyn Source>) {
    let mut source = open();
    let whole = list(source.as_mut(), u32::MAX).0;
    for limit in [1, 2, 7, 100] {
        assert_eq!(list(source.as_mut(), limit).0, whole, "pages of {limit}");
    }
    assert_eq!(list(open().as_mut(), 5).0, whole, "another session");
    a_listing_goes_on_from_every_page(source.as_mut(), open().as_mut(), &whole);
    let ids: HashSet<SourceItemId> = whole.iter().map(|item| item.id).collect();
    let origins: HashSet<_> = whole.iter().map(|item| item.origin).collect();
    assert_eq!((ids.len(), origins.len()), (whole.len(), whole.len()), "ids and origins are unique");
    folders_and_items_agree(source.as_mut(), &whole);
    every_item_opens_or_says_why(source.as_mut(), &whole);
    assert_eq!(source.changed().unwrap(), None);
}

fn list(source: &mut dyn Source, limit: u32) -> (Vec<ListedItem>, Vec<Cursor>) {
    let (mut items, mut cursors, mut from) = (Vec::new(), Vec::new(), None);
    loop {
        let page = source.list(from, limit).unwrap();
        assert!(page.items.len() + page.unreadable.len() <= limit as usize);
        items.extend(page.items);
        from = page.next;
        match from {
            Some(cursor) => cursors.push(cursor),
            None => return (items, cursors),
        }
    }
}

fn a_listing_goes_on_from_every_page(first: &mut dyn Source, second: &mut dyn Source, whole: &[ListedItem]) {
    let (_, cursors) = list(first, 7);
    for cursor in cursors.into_iter().take(20) {
        let rest = second.list(Some(cursor), u32::MAX).unwrap().items;
        assert!(whole.ends_with(&rest));
        assert!(rest.len() < whole.len());
    }
}

fn folders_and_items_agree(source: &mut dyn Source, whole: &[ListedItem]) {
    let folders = source.folders().unwrap();
    assert!(source.traits().folders || folders.is_empty());
    for item in whole {
        assert!(item.folders.iter().all(|id| folders.iter().any(|folder| folder.id == *id)));
        assert!(source.traits().unread_marks || item.unread.is_none());
    }
}

fn every_item_opens_or_says_why(source: &mut dyn Source, whole: &[ListedItem]) {
    for listed in whole {
        match source.open(listed.id) {
            Ok(item) => assert_eq!((item.origin, item.version), (listed.origin, listed.version)),
            Err(SourceError::Unreadable { id, .. }) => assert_eq!(id, listed.id),
            Err(error) => panic!("{error}"),
        }
    }
}
