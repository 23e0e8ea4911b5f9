//! `token --output` for a group of the system.

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::profiles::{Profiles, Ran};
use crate::scripted::Reply;
use crate::terminal::{base, copy_program};

/// The user and the group that the tests drop to, and another group.
pub const NOBODY: u32 = 65_534;
const OTHER: u32 = 64_321;

fn profiles() -> Profiles {
    Profiles::scripted(|_| Reply::json(500, "")).0
}

fn write(profiles: &Profiles, path: &Path, more: &[&str]) -> Ran {
    let path = path.to_str().unwrap();
    profiles.run(&[&["token", "office", "--output", path], more].concat())
}

fn group_and_mode(path: &Path) -> (u32, u32) {
    let about = std::fs::metadata(path).unwrap();
    (about.gid(), about.permissions().mode() & 0o777)
}

fn assert_root() {
    let root = rustix::process::geteuid().is_root();
    assert!(root, "only root may give a file to any group");
}

#[test]
fn token_file_is_given_the_requested_group() {
    assert_root();
    let profiles = profiles();
    let path = profiles.home.path().join("token");
    for (flags, expected) in [
        (&["--group", "nogroup"][..], (NOBODY, 0o640)),
        (&["--group", "64321"], (OTHER, 0o640)),
        (&["--group", "nogroup", "--mode", "644"], (NOBODY, 0o644)),
        (&["--mode", "640"], (0, 0o640)),
        (&["--group", "root", "--mode", "600"], (0, 0o600)),
    ] {
        let ran = write(&profiles, &path, flags);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
        assert_eq!(group_and_mode(&path), expected, "{flags:?}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "first\n");
    }
}

#[test]
fn hyphen_as_output_writes_to_standard_output() {
    let profiles = profiles();
    let folder = tempfile::tempdir().unwrap();
    let mut command = profiles.command(&["token", "office", "--output", "-"]);
    let ran: Ran = command.current_dir(folder.path()).output().unwrap().into();
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "first\n"), "{ran:?}");
    assert!(!folder.path().join("-").exists());
}

#[test]
fn token_type_that_requires_proof_causes_a_warning() {
    let profiles = profiles();
    for (kind, told) in [
        ("DPoP", true),
        ("mac", true),
        ("Bearer", false),
        ("bot", false),
    ] {
        profiles.edit(|record| record["tokens"]["token_type"] = kind.into());
        let ran = profiles.run(&["token", "office", "--format", "header"]);
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (0, "Authorization: Bearer first\n"),
            "{ran:?}"
        );
        let warned = ran
            .stderr
            .starts_with("warning: office: The token type is ");
        assert_eq!(warned, told, "{ran:?}");
    }
}

#[test]
fn unknown_group_is_refused_before_writing() {
    let profiles = profiles();
    let path = profiles.home.path().join("token");
    for group in ["no-such-group", "", "-5", "4294967295", "no such\u{7}"] {
        let ran = write(&profiles, &path, &[&format!("--group={group}")]);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{group}: {ran:?}");
        assert!(
            ran.stderr.contains("There is no group") && !ran.stderr.contains('\u{7}'),
            "{ran:?}"
        );
        assert!(!path.exists());
    }
    let ran = profiles.run(&["token", "office", "--group", "nogroup"]);
    assert_eq!(ran.code, 2, "{ran:?}");
}

/// Gives all files of a home to `nobody`.
pub fn give_away(path: &Path) {
    chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            give_away(&entry.unwrap().path());
        }
    }
}

#[test]
fn user_can_choose_own_groups_for_token_file() {
    assert_root();
    let profiles = profiles();
    let home = profiles.home.path();
    let copy: PathBuf = home.join("oauth-authorizer");
    copy_program(&copy);
    give_away(home);
    let path = home.join("token");
    let run = |group: &str| -> Ran {
        Command::new("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--groups=64321"])
            .arg(&copy)
            .args(["token", "office", "--group", group, "--output"])
            .arg(&path)
            .env_clear()
            .envs(base(home))
            .stdin(Stdio::null())
            .output()
            .unwrap()
            .into()
    };
    for (group, number) in [("nogroup", NOBODY), ("64321", OTHER)] {
        let ran = run(group);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
        assert_eq!(group_and_mode(&path), (number, 0o640));
    }
    let ran = run("daemon");
    assert_eq!(ran.code, 9, "{ran:?}");
    let words = "can't be given to the group: you are neither root nor a member of it";
    assert!(ran.stderr.contains(words), "{ran:?}");
    // The file of before is whole, and nothing is left beside it.
    assert_eq!(group_and_mode(&path), (OTHER, 0o640));
    let left = std::fs::read_dir(home).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().starts_with(".token-")
    });
    assert_eq!(left.count(), 0);
}

#[test]
fn failed_file_replacement_leaves_no_token_behind() {
    let profiles = profiles();
    let folder = profiles.home.path().join("out");
    std::fs::create_dir_all(folder.join("x")).unwrap();
    // As a file that is mounted: it is there, and nothing takes its place.
    for path in [folder.join("y/"), folder.join("x")] {
        let ran = write(&profiles, &path, &[]);
        assert_eq!((ran.code, ran.stdout.as_str()), (9, ""), "{ran:?}");
        let left: Vec<_> = std::fs::read_dir(&folder).unwrap().flatten().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }
}

#[test]
fn chmod_is_not_suggested_for_a_sticky_shared_folder() {
    let profiles = profiles();
    let shared = profiles.home.path().join("shared");
    std::fs::create_dir(&shared).unwrap();
    for (mode, words) in [
        (
            0o1777,
            "can be changed by all users. Use a folder that only you can change.\n",
        ),
        (0o777, "can be changed by other users. Run: chmod go-w "),
    ] {
        std::fs::set_permissions(&shared, std::fs::Permissions::from_mode(mode)).unwrap();
        let ran = write(&profiles, &shared.join("token"), &[]);
        assert_eq!(ran.code, 9, "{ran:?}");
        assert!(ran.stderr.contains(words), "{ran:?}");
    }
}
