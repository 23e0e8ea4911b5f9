//! Texts about parts of the form, for a front end without a screen: with the flags and the command that do the same.

/// What stands for a part of the screen, the longest first.
const PARTS: &[(&str, &str)] = &[
    (
        "enter PEM files under Advanced (Certificate, Certificate key)",
        "enter PEM files (--certificate, --certificate-key)",
    ),
    (
        "PEM files under Advanced",
        "PEM files (--certificate, --certificate-key)",
    ),
    (
        "the path under Advanced",
        "the path (--certificate, --certificate-key)",
    ),
    (
        "another one under Advanced",
        "another one (--certificate, --certificate-key)",
    ),
    ("CA file under Advanced", "CA file (--ca-file)"),
    (
        "Client auth. under Advanced",
        "Client auth. (--client-authentication)",
    ),
    (
        "Listen address under Advanced",
        "Listen address (--listen-address)",
    ),
    ("PKCE under Advanced", "PKCE (--pkce)"),
    ("PKCE is on under Advanced", "PKCE is on (--pkce)"),
    (" under Advanced.", "."),
    (" under Advanced,", ","),
    (
        "Open Configure…, choose a certificate of this machine, and choose Set up",
        "Run `oauth-authorizer configure setup` with a certificate of this machine",
    ),
    (
        "Open Configure… and choose Set up, which reserves",
        "Run `oauth-authorizer configure setup`, which reserves",
    ),
    (
        "choose Configure…",
        "run `oauth-authorizer configure setup`",
    ),
    ("with Configure…", "with `oauth-authorizer configure setup`"),
];

/// Returns the text with flags and commands in place of parts of the screen.
#[must_use]
pub fn off_screen(text: &str) -> String {
    let replaced = |text: String, (part, instead): &(&str, &str)| text.replace(part, instead);
    PARTS.iter().fold(text.to_owned(), replaced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_the_screen_become_flags_and_commands() {
        for (text, told) in [
            (
                "If it is yours, set CA file under Advanced to its certificate.",
                "If it is yours, set CA file (--ca-file) to its certificate.",
            ),
            (
                "Create one with Configure…, enter PEM files under Advanced (Certificate, Certificate key), or paste it",
                "Create one with `oauth-authorizer configure setup`, enter PEM files (--certificate, --certificate-key), or \
                 paste it",
            ),
            (
                "Set Client auth. under Advanced to Mutual TLS",
                "Set Client auth. (--client-authentication) to Mutual TLS",
            ),
            ("Check Client ID.", "Check Client ID."),
        ] {
            assert_eq!(off_screen(text), told);
        }
    }

    /// What the explanations and the messages of every front end name is known here.
    #[test]
    fn no_explanation_names_a_part_of_the_screen() {
        let library = crate::presets::Library::default();
        let mut sets = library.explanation_sets();
        sets.push("mail".to_owned());
        for set in sets {
            for entry in library.explanations(&set) {
                let told = off_screen(&format!("{} {}", entry.cause, entry.remedy));
                for part in ["under Advanced", "Configure…", "Ctrl+", "the trace"] {
                    assert!(!told.contains(part), "{told}");
                }
            }
        }
    }
}
