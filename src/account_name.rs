//! The name of an account in the form that Windows looks up.

/// Returns the name of an account with the name of this machine in place of `.\`, which neither Windows nor netsh looks up.
#[must_use]
pub fn full_name(name: &str) -> String {
    of_machine(name, std::env::var("COMPUTERNAME").ok().as_deref())
}

fn of_machine(name: &str, machine: Option<&str>) -> String {
    match (name.strip_prefix(r".\"), machine) {
        (Some(local), Some(machine)) => format!(r"{machine}\{local}"),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_account_gets_the_name_of_the_machine() {
        for (user, machine, full) in [
            (r".\alice", Some("SERVER"), r"SERVER\alice"),
            (r".\alice", None, r".\alice"),
            (r"CONTOSO\alice", Some("SERVER"), r"CONTOSO\alice"),
            ("alice", Some("SERVER"), "alice"),
        ] {
            assert_eq!(of_machine(user, machine), full);
        }
    }
}
