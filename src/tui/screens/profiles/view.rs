//! The body of the list of profiles.
//!
//! ```text
//!    4 profiles
//!
//!  ▸ office            Microsoft 365 mail    alice@contoso.exa…      token 41 min
//!    gmail             Gmail                 bob@example.org          3 days left
//!    ticket            Custom settings                              sign in again
//! ```

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::state::{Item, Profiles, all, label};
use crate::profile::finding::Forecast;
use crate::profile::places::Place;
use crate::profile::store_kind::Store;
use crate::session::clock::Moment;
use crate::session::profiles::{Listed, SOON, Standing};
use crate::tui::dialog::{List, ListEntry, Reading};
use crate::tui::screen::ViewContext;
use crate::tui::widgets::draw::{Body, Row};
use crate::tui::widgets::grid::{self, LABEL, LOW, NARROW};
use crate::tui::widgets::rows::labeled_lines;
use crate::tui::widgets::said::{Said, Tone};
use crate::tui::widgets::text::{shorten, width};

/// The width of the column with the level of a finding.
const WORD: usize = 8;

/// The descriptions of the entries under More.
pub(super) const RENAME: &str = "Give it another name";
pub(super) const COMMAND: &str = "Copy the command that prints a valid token";

/// Returns the title; in a low window it contains the number of profiles.
pub(super) fn title(cx: ViewContext<'_>) -> String {
    if cx.console.size.1 >= LOW {
        return "Profiles".to_owned();
    }
    match &cx.session.profiles.list {
        Some(list) => format!("profiles {} {}", cx.theme().dot(), list.len()),
        None => "profiles".to_owned(),
    }
}

/// Returns the rows, and the message about the selected profile.
pub(super) fn body(screen: &Profiles, cx: ViewContext<'_>, area: Rect) -> Body {
    let theme = cx.theme();
    let columns = usize::from(area.width);
    let all = all(cx);
    let mut rows = Vec::new();
    let head = match (&cx.session.profiles.list, all.len()) {
        (None, _) => format!("Reading the profiles{}", theme.ellipsis()),
        (Some(_), 0) => "There are no profiles yet.".to_owned(),
        (Some(_), 1) => "1 profile".to_owned(),
        (Some(_), count) => format!("{count} profiles"),
    };
    if all.is_empty() || cx.console.size.1 >= LOW {
        rows.push(Row::text(head));
        rows.push(Row::blank());
    }
    let widths = Widths::of(all, columns);
    rows.extend(all.iter().map(|listed| {
        let focused = screen.common.has_focus(cx, &Item::Row(label(listed)));
        widths.row(cx, listed, focused, label(listed) == screen.chosen)
    }));
    Body {
        rows,
        hint: said(screen, cx),
        ..Body::default()
    }
}

/// The columns of the list.
struct Widths {
    columns: usize,
    /// The column after the names.
    value: usize,
    preset: usize,
}

impl Widths {
    fn of(all: &[Listed], columns: usize) -> Self {
        let widest = |text: &dyn Fn(&Listed) -> usize| all.iter().map(text).max().unwrap_or(0);
        let names = LABEL + widest(&|listed| width(&label(listed))) + 2;
        Self {
            columns,
            value: names.clamp(
                grid::value(columns),
                (columns / 2).max(grid::value(columns)),
            ),
            preset: widest(&|listed| width(&listed.preset)).min(24),
        }
    }

    /// Returns the row of a profile. The user is cut first, then the preset; the state never is.
    /// The name of the profile that the buttons act on is bold.
    fn row(&self, cx: ViewContext<'_>, listed: &Listed, focused: bool, chosen: bool) -> Row {
        let theme = cx.theme();
        let (state, tone) = state(&listed.standing, cx.console.now);
        let end = self.columns.saturating_sub(1 + width(&state));
        let narrow = self.columns < usize::from(NARROW);
        let name_room = if narrow { end } else { self.value }.saturating_sub(LABEL + 2);
        let name = shorten(&label(listed), name_room, theme.ellipsis());
        let mut used = LABEL + width(&name);
        let marker = if focused { theme.marker() } else { " " };
        let style = if focused || chosen {
            theme.strong()
        } else {
            theme.tone(Tone::Plain)
        };
        let mut spans = vec![Span::raw(format!(" {marker} ")), Span::styled(name, style)];
        if !narrow {
            let room = end.saturating_sub(self.value + 2);
            let preset = shorten(&listed.preset, self.preset.min(room), theme.ellipsis());
            let at = self.value + self.preset + 2;
            spans.push(Span::raw(" ".repeat(self.value.saturating_sub(used))));
            used = self.value + width(&preset);
            spans.push(Span::styled(preset, theme.dim()));
            let room = end.saturating_sub(at + 2);
            let user = listed
                .user
                .as_deref()
                .filter(|_| room > 4)
                .unwrap_or_default();
            let user = shorten(user, room, theme.ellipsis());
            if !user.is_empty() {
                spans.push(Span::raw(" ".repeat(at.saturating_sub(used))));
                used = at + width(&user);
                spans.push(Span::raw(user));
            }
        }
        spans.push(Span::raw(" ".repeat(end.saturating_sub(used))));
        spans.push(Span::styled(state, theme.tone(tone)));
        Row {
            line: Line::from(spans),
            cursor: focused
                .then_some(LABEL)
                .and_then(|at| u16::try_from(at).ok()),
        }
    }
}

/// Returns the state at the end of a row, and its tone.
fn state(standing: &Standing, now: Moment) -> (String, Tone) {
    let unix = u64::try_from(now.unix).unwrap_or_default();
    let tone = match standing {
        Standing::SignInAgain { .. } | Standing::NoTokens | Standing::Unusable(_) => Tone::Bad,
        Standing::Tokens {
            sign_in_by: Some(end),
            ..
        } if *end <= unix => Tone::Bad,
        Standing::Tokens {
            sign_in_by: Some(end),
            ..
        } if end - unix < SOON => Tone::Warning,
        Standing::New | Standing::Tokens { .. } => Tone::Plain,
    };
    (standing.words(unix), tone)
}

/// Returns the message about the focused item.
fn said(screen: &Profiles, cx: ViewContext<'_>) -> Vec<Said> {
    if cx.session.profiles.list.as_ref().is_some_and(Vec::is_empty) {
        let text = if cx.session.settings.preset().embedded_server {
            "The demo can't be saved as a profile. Choose another preset, then Save… in the settings."
        } else {
            "To create one, choose Save… in the settings or on the tokens screen. Scripts get a valid token from it."
        };
        return vec![Said::new("Profiles", text)];
    }
    let chosen = &screen.chosen;
    let (name, text) = match &screen.common.focus {
        Item::Row(_) => {
            return screen
                .chosen(cx)
                .map_or_else(Vec::new, |listed| about(cx, listed));
        }
        Item::Open => (
            "Open",
            format!("Open the settings of \"{chosen}\" in the form."),
        ),
        Item::Authorize => (
            "Authorize",
            format!("Sign in again with the settings of \"{chosen}\"."),
        ),
        Item::Check => (
            "Check",
            format!(
                "Check what is wrong with \"{chosen}\" now and what will break next. Sends nothing."
            ),
        ),
        Item::MailTest => (
            "Mail test",
            format!(
                "Sign in to the mail servers of \"{chosen}\" with its access token, and show each step."
            ),
        ),
        Item::Delete => (
            "Delete",
            format!("Delete the profile \"{chosen}\". Asks first."),
        ),
        Item::Find => (
            "Find",
            "Find a profile by its name, preset or user.".to_owned(),
        ),
        Item::More => ("More", "Rename, copy command.".to_owned()),
        Item::Rename => ("Rename", RENAME.to_owned()),
        Item::CopyCommand => ("Copy command", COMMAND.to_owned()),
        Item::Back => ("Back", "Return to the previous screen.".to_owned()),
        Item::Help => ("Help", "Keys of this screen, then all others.".to_owned()),
    };
    vec![Said::new(name, text)]
}

/// Returns the problem of a profile, or how long its tokens last and where they are stored.
fn about(cx: ViewContext<'_>, listed: &Listed) -> Vec<Said> {
    let name = &listed.place.name;
    let now = cx.console.now;
    let fix = || Said::new("Fix", "Press a to sign in again.");
    match &listed.standing {
        Standing::SignInAgain { at, error } => {
            let text = format!("{name}, {}: {error}", day_and_time(now, *at));
            vec![Said::new("Problem", text).toned(Tone::Bad), fix()]
        }
        Standing::NoTokens => {
            let text = format!("{name}: the tokens have expired.");
            vec![Said::new("Problem", text).toned(Tone::Bad), fix()]
        }
        Standing::Unusable(reason) => {
            let text = format!("{name}: {reason}");
            vec![Said::new("Problem", text).toned(Tone::Bad)]
        }
        Standing::New => vec![Said::new(
            name.to_string(),
            "It has no tokens yet. Press a to sign in.",
        )],
        Standing::Tokens {
            expires_at,
            refresh_at,
            sign_in_by,
        } => {
            let mut said = Vec::new();
            if usize::from(cx.console.size.0) < usize::from(NARROW) {
                let user = listed
                    .user
                    .as_ref()
                    .map_or_else(String::new, |user| format!(", {user}"));
                let text = format!("{}{user}", listed.preset);
                return vec![Said::new(name.to_string(), text)];
            }
            let unix = u64::try_from(now.unix).unwrap_or_default();
            let mut text = match expires_at {
                None => "The service did not say when the access token expires.".to_owned(),
                Some(end) if *end <= unix => {
                    "The access token has expired; the next use refreshes it.".to_owned()
                }
                Some(end) => format!("Access token until {}.", day_and_time(now, *end)),
            };
            if let Some(at) = refresh_at {
                let day = day_and_time(now, *at);
                let today = if day.contains(' ') { "" } else { "today at " };
                text += &format!(" Refresh token issued {today}{day}.");
            }
            said.push(Said::new(name.to_string(), text));
            if let Some(end) = sign_in_by.filter(|end| end.saturating_sub(unix) < SOON) {
                let text = format!("Sign in again before {}.", day_and_time(now, end));
                said.push(Said::new("Warning", text).toned(Tone::Warning));
            }
            let commands = listed.store.as_ref().and_then(Store::commands);
            let stored_in = match commands {
                Some(commands) => format!("the store of {}", commands.name()),
                None => cx.session.profiles.short_path(&listed.place.record()),
            };
            said.push(Said::new("Stored in", stored_in));
            said
        }
    }
}

/// Formats a time of today as `13:01`, and other times with their day.
fn day_and_time(now: Moment, unix: u64) -> String {
    let seconds = i64::try_from(unix)
        .unwrap_or(i64::MAX)
        .saturating_sub(now.unix);
    let at = now.local_in(seconds);
    let time = at.strftime("%H:%M");
    match now.day(at).as_str() {
        "today" => time.to_string(),
        day => format!("{day} at {time}"),
    }
}

/// Returns the profiles whose name, preset or user contains the filter text.
pub(super) fn found(cx: ViewContext<'_>, filter: &str) -> List {
    let filter = filter.trim().to_lowercase();
    let fits = |listed: &&Listed| {
        let user = listed.user.as_deref().unwrap_or_default();
        [&label(listed), listed.preset.as_str(), user]
            .iter()
            .any(|text| text.to_lowercase().contains(&filter))
    };
    let entry = |listed: &Listed| {
        let user = listed
            .user
            .as_ref()
            .map_or_else(String::new, |user| format!(", {user}"));
        ListEntry {
            key: label(listed),
            name: label(listed),
            about: format!("{}{user}", listed.preset),
            ..ListEntry::default()
        }
    };
    List {
        head: "Profiles".to_owned(),
        entries: all(cx).iter().filter(fits).map(entry).collect(),
        none: "No profile matches.".to_owned(),
        ..List::default()
    }
}

/// Returns the findings of a check.
pub(super) fn checked(
    cx: ViewContext<'_>,
    place: &Place,
    forecast: &Forecast,
    columns: usize,
) -> Reading {
    let labeled = |label: &str, text: &str| labeled_lines(label, text, WORD, columns);
    let mut lines: Vec<Line<'static>> = Vec::new();
    if let Some(summary) = &forecast.summary {
        lines.extend(labeled("ok", summary));
    }
    for finding in &forecast.findings {
        lines.extend(labeled(finding.level.word(), &finding.text));
        if let Some(fix) = &finding.fix {
            lines.extend(labeled("fix", fix));
        }
    }
    if forecast.worst().is_none() {
        lines.push(Line::default());
        lines.push(Line::styled(
            "Nothing will break within 30 days, as far as is known.",
            cx.theme().dim(),
        ));
    }
    Reading {
        title: format!("Check of the profile \"{}\"", place.name),
        lines,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400;

    #[test]
    fn status_shows_the_most_urgent_state() {
        let now = Moment {
            unix: 1_000_000,
            ..Moment::default()
        };
        let tokens = |expires_at: Option<u64>, sign_in_by: Option<u64>| Standing::Tokens {
            expires_at: expires_at.map(|left| 1_000_000 + left),
            refresh_at: None,
            sign_in_by: sign_in_by.map(|left| 1_000_000 + left),
        };
        for (standing, word, tone) in [
            (tokens(Some(3500), None), "token 58 min", Tone::Plain),
            (tokens(Some(59), None), "token 1 min", Tone::Plain),
            (tokens(Some(7200), None), "token 2 h", Tone::Plain),
            (tokens(Some(3 * DAY), None), "token 3 days", Tone::Plain),
            (tokens(Some(0), None), "token expired", Tone::Plain),
            (tokens(None, None), "token", Tone::Plain),
            (
                tokens(Some(3500), Some(3 * DAY)),
                "3 days left",
                Tone::Warning,
            ),
            (tokens(Some(3500), Some(DAY)), "1 day left", Tone::Warning),
            (
                tokens(Some(3500), Some(3500)),
                "58 minutes left",
                Tone::Warning,
            ),
            (
                tokens(Some(3500), Some(15 * DAY)),
                "token 58 min",
                Tone::Plain,
            ),
            (tokens(Some(3500), Some(0)), "sign in again", Tone::Bad),
            (Standing::NoTokens, "sign in again", Tone::Bad),
            (Standing::New, "not signed in", Tone::Plain),
        ] {
            assert_eq!(
                state(&standing, now),
                (word.to_owned(), tone),
                "{standing:?}"
            );
        }
    }
}
