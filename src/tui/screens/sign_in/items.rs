//! The items of the sign-in, in order.

use super::layout::{is_narrow, is_wide};
use super::state::{Item, QrCode, SignIn, field_to_edit};
use crate::form::field::Key;
use crate::session::run::{Ended, Phase, Run};
use crate::tui::screen::{Entry, ViewContext};

/// Returns the items that can have the focus now.
pub(super) fn items(screen: &SignIn, cx: ViewContext<'_>) -> Vec<Entry<Item>> {
    let Some(run) = cx.session.sign_in() else {
        return vec![Entry::esc(Item::Settings, "Settings")];
    };
    let mut items = Vec::new();
    match &run.phase {
        Phase::Failed(ended) => return failed(cx, run, ended),
        Phase::Starting => {}
        Phase::Device { complete, .. } => {
            let code = about_row(cx, Item::CopyCode, "Copy code", 'c');
            let url = about_row(cx, Item::CopyUrl, "Copy URL", 'u');
            let link = || Entry::line(Item::Link, "With code").with_enter("copy URL with the code");
            items.extend(if is_narrow(cx) {
                vec![code, url]
            } else {
                let link = complete.is_some().then(link);
                std::iter::once(url).chain(link).chain([code]).collect()
            });
        }
        Phase::SignIn { .. } => waiting_for_browser(screen, cx, run, &mut items),
    }
    if cx.session.settings.preset().embedded_server && run.urls().next().is_some() {
        items.push(Entry::button(Item::ApproveDemo, "Approve (demo)", 'y'));
    }
    if run.urls().next().is_some() {
        if cx.console.environment.can_browse() {
            items.push(Entry::button(Item::OpenBrowser, "Open browser", 'b'));
        }
        let button = Entry::button(Item::QrCode, "QR code", 'q');
        items.extend(match screen.offered.qr_code {
            Some(QrCode::Fits) => Some(button),
            // The code would fit in a larger window.
            Some(QrCode::Needs(columns, rows)) => {
                Some(button.not_offered(format!("Needs a window of {columns} x {rows}.")))
            }
            None => None,
        });
        items.push(Entry::button(Item::Alone, "View alone", 'w'));
        if screen.offered.other_flow {
            let label = if run.awaits_browser() {
                "Device code flow"
            } else {
                "Browser flow"
            };
            items.push(Entry::button(Item::OtherFlow, label, 'l'));
        }
    }
    if !is_wide(cx) && !matches!(run.phase, Phase::Starting) {
        let label = if screen.checks {
            "Hide checks"
        } else {
            "Checks"
        };
        items.push(Entry::button(Item::Checks, label, 'k'));
    }
    items.extend([
        Entry::button(Item::Trace, "Trace", 'e'),
        Entry::more(Item::More),
        Entry::esc(Item::Cancel, "Cancel"),
        Entry::button(Item::Help, "Help", '?'),
    ]);
    items
}

/// Returns a button at the end of a row. In a narrow window it is at the bottom, wherever the focus is.
fn about_row(cx: ViewContext<'_>, item: Item, label: &'static str, letter: char) -> Entry<Item> {
    if is_narrow(cx) {
        Entry::button(item, label, letter)
    } else {
        Entry::beside(item, label).with_letter(letter)
    }
}

fn waiting_for_browser(
    screen: &SignIn,
    cx: ViewContext<'_>,
    run: &Run,
    items: &mut Vec<Entry<Item>>,
) {
    let narrow = is_narrow(cx);
    let mut copies = Vec::new();
    if run.tunnel.is_some() {
        let label = if narrow { "Copy tunnel" } else { "Copy" };
        copies.push(about_row(cx, Item::CopyTunnel, label, 'n').with_enter("copy command"));
    }
    copies.push(about_row(cx, Item::CopyUrl, "Copy URL", 'u'));
    let paste = Entry::paste(Item::Paste, "Paste");
    if narrow {
        items.push(paste);
    } else {
        items.append(&mut copies);
        items.push(paste);
    }
    // `c` copies the selected line.
    let line = |item: Item, label: &'static str, enter| {
        let selected = screen.common.focus == item;
        let entry = Entry::line(item, label).with_enter(enter);
        if selected {
            entry.with_letter('c')
        } else {
            entry
        }
    };
    if run.unverified.is_none() || field_to_edit(cx).is_none() {
        items.push(line(Item::ClientId, "client_id", "copy client ID"));
        items.push(line(Item::RedirectUrl, "redirect_uri", "copy redirect URL"));
    } else {
        items.push(edit(cx));
    }
    items.append(&mut copies);
}

/// Returns the button that goes to the field of an error.
fn edit(cx: ViewContext<'_>) -> Entry<Item> {
    if is_narrow(cx) {
        Entry::quiet(Item::Edit, "Edit")
    } else {
        Entry::beside(Item::Edit, "Edit")
    }
}

fn failed(cx: ViewContext<'_>, run: &Run, ended: &Ended) -> Vec<Entry<Item>> {
    let mut items = Vec::new();
    let key = cx.session.explained_field();
    if key == Some(Key::RedirectUrl) && run.redirect_url().is_some() {
        items.push(about_row(cx, Item::RedirectUrl, "Copy URL", 'u'));
    }
    if key.is_some() {
        items.insert(if is_narrow(cx) { 0 } else { items.len() }, edit(cx));
    }
    let again = if ended.another_code {
        "Another code"
    } else {
        "Try again"
    };
    items.push(Entry::button(Item::Again, again, 'a'));
    items.push(Entry::button(Item::Trace, "Trace", 'e'));
    // An expired code needs no report.
    if !ended.expired {
        items.push(Entry::button(Item::CopyReport, "Copy report", 'c'));
    }
    items.extend([
        Entry::more(Item::More),
        Entry::esc(Item::Settings, "Settings"),
        Entry::button(Item::Help, "Help", '?'),
    ]);
    if cx.session.explained_fix().is_some() {
        for entry in &mut items {
            entry.fix = Some("fix".to_owned());
        }
    }
    items
}
