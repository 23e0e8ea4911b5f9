//! The question after a sign-in: what to do with the tokens.

use clap::ValueEnum;

use super::input::is_quit;
use crate::clean::system_reason;
use crate::console::signals::Signals;
use crate::console::talk::say;
use crate::oauth::token::TokenSet;
use crate::outcome::Print;
use crate::store::file;

/// What the question is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question {
    /// Whether the profile could not be saved.
    pub(super) is_unsaved: bool,
    /// Whether the profile has the tokens.
    pub(super) is_saved: bool,
    /// Whether the requested result could not be printed.
    pub(super) is_unprinted: bool,
}

/// The user's choice.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// End the program.
    Quit,
    /// Try to save the profile again.
    SaveProfile,
    /// Save all tokens to this file.
    SaveFile(String),
    /// Print a result.
    Print(Print),
    /// The line is none of the choices.
    Unknown,
}

impl Question {
    /// Returns the choices before the results.
    fn saves(self) -> &'static str {
        match (self.is_unsaved, self.is_unprinted) {
            (false, false) => "",
            (true, false) => "save to try again, or ",
            (false, true) => "save and a file name to save the tokens as JSON, or ",
            (true, true) => {
                "save to try again, save and a file name to save the tokens as JSON, or "
            }
        }
    }

    /// Returns the question.
    pub(super) fn text(self) -> String {
        let (saves, choices) = (self.saves(), Print::names());
        if self.is_unprinted {
            let lost = if self.is_saved {
                "Enter quit to exit."
            } else {
                "Enter quit to exit: the tokens are then lost."
            };
            format!(
                "The program still has the tokens. Enter {saves}what to print again: {choices}. {lost}"
            )
        } else {
            format!(
                "Sign-in completed. Enter {saves}what to print: {choices}. Enter quit to exit without printing."
            )
        }
    }

    /// Returns the hint after an unknown choice. The input may be a late paste with secrets, so it is not repeated.
    pub(super) fn unknown(self) -> String {
        let (saves, choices) = (self.saves(), Print::names());
        format!("Unknown choice. Enter {saves}one of: {choices}, quit.")
    }

    /// Interprets a line.
    pub(super) fn choice(self, line: &str) -> Choice {
        let path = line.strip_prefix("save ").map(str::trim);
        match (line, path) {
            (word, _) if is_quit(word) => Choice::Quit,
            ("save", _) if self.is_unsaved => Choice::SaveProfile,
            (_, Some(path)) if self.is_unprinted && !path.is_empty() => {
                Choice::SaveFile(path.to_owned())
            }
            (word, _) => Print::from_str(word, true).map_or(Choice::Unknown, Choice::Print),
        }
    }
}

/// Saves the tokens as JSON, readable only by their owner, and writes the outcome. Returns whether they are saved;
/// `None` if a signal asks the program to end.
pub(super) async fn save_file(
    path: &str,
    tokens: &TokenSet,
    signals: &mut Signals,
) -> Option<bool> {
    let path = file::named::absolute(path.as_ref());
    let (place, text) = (path.display().to_string(), tokens.to_json());
    let saved = signals.unless_asked_to_end(move || file::save(&path, &text));
    match saved.await? {
        Ok(_) => say("done", &format!("Saved the tokens to {place}")),
        Err(error) => {
            let reason = error.to_string();
            let reason = system_reason(&reason);
            say(
                "error",
                &format!("The tokens were not saved to {place}: {reason}."),
            );
            return Some(false);
        }
    }
    Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_depend_on_what_failed() {
        let question = |is_unsaved, is_unprinted| Question {
            is_unsaved,
            is_saved: false,
            is_unprinted,
        };
        for (line, is_unsaved, is_unprinted, choice) in [
            ("Quit", false, false, Choice::Quit),
            ("JSON", false, false, Choice::Print(Print::Json)),
            ("save", false, false, Choice::Unknown),
            ("save", true, false, Choice::SaveProfile),
            ("save", false, true, Choice::Unknown),
            ("save a b", false, true, Choice::SaveFile("a b".to_owned())),
            ("save a b", true, false, Choice::Unknown),
            ("s3cret", true, true, Choice::Unknown),
        ] {
            assert_eq!(
                question(is_unsaved, is_unprinted).choice(line),
                choice,
                "{line}"
            );
        }
        let unprinted = question(false, true);
        assert!(unprinted.text().contains("tokens are then lost"));
        let is_saved = true;
        let saved = Question {
            is_saved,
            ..unprinted
        };
        assert!(!saved.text().contains("lost"), "{}", saved.text());
        assert!(!question(false, false).text().contains("save"));
        assert!(
            question(false, true)
                .text()
                .contains("save and a file name")
        );
    }
}
