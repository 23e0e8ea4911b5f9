//! The lists next to a field: the scopes of the service, the common values of a variable, and the certificates for the
//! client's key.

use super::state::{DialogId, Form, Item};
use crate::certificate::store_path::Location;
use crate::flow::store_key::ListedKey;
use crate::form::field::Key;
use crate::tui::dialog::{Dialog, List, ListEntry};
use crate::tui::screen::ViewContext;

/// The key of the entry for a value that the user types.
pub(super) const ANOTHER: &str = "";

/// Returns the scopes of the service with their purposes; requested scopes are selected.
pub(super) fn scopes(cx: ViewContext<'_>) -> List {
    let settings = &cx.session.settings;
    let chosen = settings.scopes();
    let listed = settings.scope_list();
    let of = listed.len();
    let count = listed
        .iter()
        .filter(|(scope, _)| chosen.contains(scope))
        .count();
    let custom = match chosen.len() - count {
        0 => String::new(),
        custom => format!(", and {custom} in the field only"),
    };
    let entry = |(scope, purpose): (String, String)| {
        let tick = if chosen.contains(&scope) {
            "[x]"
        } else {
            "[ ]"
        };
        // The URL of the resource is below the list, with the full text of the entry.
        let short = match scope.trim_end_matches('/').rsplit_once('/') {
            Some((_, name)) if scope.contains("://") && !name.is_empty() => name,
            _ => &scope,
        };
        ListEntry {
            name: format!("{tick} {short}"),
            whole: if purpose.is_empty() {
                scope.clone()
            } else {
                format!("{scope}: {purpose}")
            },
            about: purpose,
            key: scope,
            ..ListEntry::default()
        }
    };
    List {
        head: format!("Scope: {}", settings.preset().name),
        entries: listed.into_iter().map(entry).collect(),
        note: format!("{count} of {of} selected{custom}. Custom scopes: type them in the field."),
        ..List::default()
    }
}

/// Returns the key of the entry to select at first in the list of a variable's common values.
pub(super) fn choice(cx: ViewContext<'_>, place: usize) -> String {
    let settings = &cx.session.settings;
    let value = settings.value(Key::Var(place));
    let variable = settings.preset().variables.get(place);
    if variable.is_some_and(|variable| variable.choices.contains(&value)) {
        value
    } else {
        ANOTHER.to_owned()
    }
}

/// Returns the common values of a variable.
pub(super) fn choices(cx: ViewContext<'_>, place: usize) -> List {
    let settings = &cx.session.settings;
    let value = settings.value(Key::Var(place));
    let Some(variable) = settings.preset().variables.get(place) else {
        return List::default();
    };
    let entry = |key: &str, name: &str, on: bool| ListEntry {
        key: key.to_owned(),
        name: format!("{} {name}", cx.theme().radio(on)),
        ..ListEntry::default()
    };
    let mut entries: Vec<ListEntry> = variable
        .choices
        .iter()
        .map(|choice| entry(choice, choice, *choice == value))
        .collect();
    let other = !variable.choices.contains(&value);
    let mut another = entry(ANOTHER, "another", other);
    "type it in the field".clone_into(&mut another.about);
    entries.push(another);
    List {
        head: variable.label.clone(),
        entries,
        note: variable.help.clone().unwrap_or_default(),
        ..List::default()
    }
}

impl Form {
    /// Opens the list of certificates, if the user is still waiting for it.
    pub(super) fn show_keys(&mut self, keys: &[ListedKey]) {
        self.keys = keys.to_vec();
        if self.common.focus == Item::KeyList && self.common.dialog.is_none() {
            self.common.dialog = Some(Dialog::list(DialogId::Keys, false));
        }
    }
}

/// Returns the certificates for the client's key: the subject, the store and the validity.
pub(super) fn keys(keys: &[ListedKey]) -> List {
    let entry = |key: &ListedKey| {
        let certificate = &key.certificate;
        let store = match key.path.location {
            Location::LocalMachine => "machine",
            Location::CurrentUser => "user",
        };
        let valid = if certificate.early {
            format!("from {}", certificate.starts)
        } else if certificate.expired {
            format!("expired on {}", certificate.expires)
        } else {
            format!("until {}", certificate.expires)
        };
        ListEntry {
            name: certificate.subject.clone(),
            about: format!("{store}; {valid}; {}", certificate.thumbprint),
            key: key.path.to_string(),
            ..ListEntry::default()
        }
    };
    List {
        head: "Certificates of this machine with a private key".to_owned(),
        entries: keys.iter().map(entry).collect(),
        none: "Neither the machine's store nor that of the current user has a certificate with a private key."
            .to_owned(),
        ..List::default()
    }
}
