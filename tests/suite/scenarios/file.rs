//! The files of scenarios: their format, and how their variants are put together.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use toml::{Table, Value};

/// Where the files are.
pub const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scenarios");

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Endpoint {
    Discovery,
    Keys,
    Device,
    Poll,
    Exchange,
    Refresh,
    Revoke,
    Introspect,
    Userinfo,
    Par,
    Registration,
    Imap,
    Pop3,
    Smtp,
}

impl Endpoint {
    pub const ALL: [Self; 14] = [
        Self::Discovery,
        Self::Keys,
        Self::Device,
        Self::Poll,
        Self::Exchange,
        Self::Refresh,
        Self::Revoke,
        Self::Introspect,
        Self::Userinfo,
        Self::Par,
        Self::Registration,
        Self::Imap,
        Self::Pop3,
        Self::Smtp,
    ];

    pub fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    pub fn is_mail(self) -> bool {
        matches!(self, Self::Imap | Self::Pop3 | Self::Smtp)
    }

    /// A command about the tokens of a profile.
    pub fn is_tool(self) -> bool {
        matches!(self, Self::Revoke | Self::Introspect | Self::Userinfo)
    }

    /// Its answers belong to tokens that are in a profile.
    pub fn has_profile(self) -> bool {
        self.is_mail() || self.is_tool() || self == Self::Refresh
    }
}

/// A text of any length, written briefly.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Text {
    Plain(String),
    /// `text` this many times, in between the others.
    Times {
        text: String,
        times: usize,
        #[serde(default)]
        before: String,
        #[serde(default)]
        after: String,
    },
}

impl Text {
    pub fn build(&self) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::Times {
                text,
                times,
                before,
                after,
            } => format!("{before}{}{after}", text.repeat(*times)),
        }
    }
}

/// What a server does instead of answering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hostile {
    /// Takes the request, and never says a word.
    Silent,
    CloseBefore,
    CloseInside,
    CloseAfter,
    ResetBefore,
    ResetInside,
    ResetAfter,
    /// A byte a second, without end.
    Drip,
    /// A body of 1 GB, announced.
    Huge,
    /// The same in chunks.
    HugeChunks,
    /// A header of 1 GB.
    HugeHead,
    /// Short lines, 1 GB of them.
    HugeLines,
}

/// One answer.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Answer {
    pub hostile: Option<Hostile>,
    pub status: Option<u16>,
    pub headers: BTreeMap<String, String>,
    /// The whole body; without it, the good one of the endpoint, changed as the next three say.
    pub body: Option<Text>,
    /// Members that are different or more, each with its JSON.
    pub set: BTreeMap<String, Text>,
    pub without: Vec<String>,
    /// Members that are there once more.
    pub again: BTreeMap<String, Text>,
    /// How the body is encoded.
    pub encoding: Option<Encoding>,
    /// Responses of 1xx before the answer.
    pub interim: Vec<u16>,
    /// The certificate of the server; without it, there is no TLS for HTTP.
    pub certificate: Option<super::tls::Kind>,
    /// How far the clock jumps before the answer, such as `+3d`.
    pub clock: Option<String>,
    /// What a mail server is asked when it answers that: greeting, capabilities, sign-in, token, mailbox.
    pub stage: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    Gzip,
    /// A few kilobytes that become a gigabyte.
    GzipBomb,
    Chunked,
    Utf16,
    Latin1,
    Bom,
}

/// What is left of the tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kept {
    /// Each byte of the record, or nothing where there was none.
    All,
    /// The tokens; the record says what happened.
    Tokens,
    /// New ones replaced them.
    New,
    /// A new access token; the refresh token stays.
    NewAccess,
    /// The old access token, and a new refresh token.
    NewRefresh,
    /// The access token that was printed.
    Printed,
    /// None.
    Nothing,
}

/// A variant at one endpoint: what is answered, and what must come of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Case {
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub answer: Answer,
    /// Several, one after the other.
    #[serde(default)]
    pub answers: Vec<Answer>,
    /// Members of the device code's answer that are different, where the polls are what is tested.
    #[serde(default)]
    pub grant: BTreeMap<String, Text>,
    pub exit: i32,
    /// What the user reads, on standard error, in the report or on the screen. Only a success may be silent.
    #[serde(default)]
    pub reads: Vec<String>,
    /// What must not be there.
    #[serde(default)]
    pub never: Vec<String>,
    /// What the script gets; without it, the token where the exit code is 0.
    pub stdout: Option<Text>,
    pub kept: Option<Kept>,
    /// Seconds from each poll to the next, at least, and no more than a fifth longer.
    #[serde(default)]
    pub gaps: Vec<u64>,
    /// Seconds before the first poll, at least.
    #[serde(default = "one")]
    pub first: u64,
}

fn one() -> u64 {
    1
}

impl Case {
    /// All answers that are told.
    pub fn answers(&self) -> Vec<Answer> {
        if self.answers.is_empty() {
            vec![self.answer.clone()]
        } else {
            self.answers.clone()
        }
    }

    pub fn has(&self, wanted: impl Fn(&Answer) -> bool) -> bool {
        self.answers().iter().any(wanted)
    }
}

/// A file: one behavior.
pub struct Scenario {
    pub name: String,
    pub about: String,
    pub class: String,
    /// Each variant at each endpoint.
    pub cases: Vec<(Endpoint, Case)>,
}

/// The parts of a file that are not of a variant.
#[derive(Deserialize)]
struct Head {
    about: String,
    class: String,
    endpoint: Endpoints,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Endpoints {
    One(Endpoint),
    Many(Vec<Endpoint>),
}

/// Puts `more` over `table`: tables are merged, what is read is added, and the rest is replaced.
fn merge(table: &mut Table, more: &Table) {
    for (key, value) in more {
        match (table.get_mut(key), value) {
            (Some(Value::Table(inner)), Value::Table(more)) => merge(inner, more),
            (Some(Value::Array(inner)), Value::Array(more)) if key == "reads" || key == "never" => {
                inner.extend(more.iter().cloned());
            }
            _ => drop(table.insert(key.clone(), value.clone())),
        }
    }
}

/// Takes `[at.ENDPOINT]` out of a table: what is different there.
fn at(table: &mut Table) -> BTreeMap<String, Table> {
    let at = table.remove("at").map(Value::try_into);
    at.map_or_else(BTreeMap::new, Result::unwrap)
}

impl Scenario {
    fn parse(name: &str, text: &str) -> Result<Self, String> {
        let wrong = |error: toml::de::Error| format!("{name}: {error}");
        let mut base: Table = toml::from_str(text).map_err(wrong)?;
        let head: Head = Value::Table(base.clone()).try_into().map_err(wrong)?;
        for key in ["about", "class", "endpoint"] {
            base.remove(key);
        }
        let variants = base.remove("variants").map(Value::try_into::<Vec<Table>>);
        let variants = variants
            .unwrap_or_else(|| Ok(vec![Table::new()]))
            .map_err(wrong)?;
        let there = at(&mut base);
        let endpoints = match head.endpoint {
            Endpoints::One(endpoint) => vec![endpoint],
            Endpoints::Many(endpoints) => endpoints,
        };
        let mut cases = Vec::new();
        for variant in variants {
            for endpoint in &endpoints {
                let mut variant = variant.clone();
                let variant_there = at(&mut variant);
                let mut whole = base.clone();
                let layers = [
                    there.get(&endpoint.name()),
                    Some(&variant),
                    variant_there.get(&endpoint.name()),
                ];
                for layer in layers.into_iter().flatten() {
                    merge(&mut whole, layer);
                }
                let case: Case = Value::Table(whole).try_into().map_err(wrong)?;
                if case.reads.is_empty() && case.exit != 0 {
                    return Err(format!("{name}: it doesn't say what the user reads"));
                }
                cases.push((*endpoint, case));
            }
        }
        Ok(Self {
            name: name.to_owned(),
            about: head.about,
            class: head.class,
            cases,
        })
    }
}

/// All scenarios, by name.
pub fn all() -> Vec<Scenario> {
    let mut found = Vec::new();
    let folders = std::fs::read_dir(FOLDER).unwrap();
    for folder in folders
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
    {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(FOLDER).unwrap().with_extension("");
            found.push(read(&path, name.to_str().unwrap()));
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

fn read(path: &Path, name: &str) -> Scenario {
    let text = std::fs::read_to_string(path).unwrap();
    Scenario::parse(name, &text).unwrap_or_else(|error| panic!("{error}"))
}
