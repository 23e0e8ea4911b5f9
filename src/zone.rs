//! Finds the time zone of this machine, for displaying times.

#[cfg(any(windows, test))]
use std::fmt::Write as _;
#[cfg(unix)]
use std::path::{Component, Path};

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// Returns the current time, in the time zone of this machine.
#[must_use]
pub fn now() -> Zoned {
    Timestamp::now().to_zoned(local())
}

/// Returns the time zone of this machine; UTC if the system can't tell.
#[must_use]
pub fn local() -> TimeZone {
    #[cfg(windows)]
    return crate::windows::time_zone()
        .and_then(|(zone, season)| Rules::of(&zone, season).zone())
        .unwrap_or(TimeZone::UTC);
    #[cfg(unix)]
    named().unwrap_or_else(TimeZone::system)
}

/// Returns the zone that `TZ` names as `Area/City`. Other values of `TZ` need no time zone database.
#[cfg(unix)]
fn named() -> Option<TimeZone> {
    let name = std::env::var("TZ").ok()?;
    let folder = std::env::var_os("TZDIR").filter(|folder| !folder.is_empty());
    let folder = folder.map_or_else(|| "/usr/share/zoneinfo".into(), std::path::PathBuf::from);
    in_database(&folder, &name)
}

/// Returns the zone of this name in the system's database.
#[cfg(unix)]
fn in_database(folder: &Path, name: &str) -> Option<TimeZone> {
    let name = name.strip_prefix(':').unwrap_or(name);
    let mut parts = Path::new(name).components().peekable();
    parts.peek()?;
    // Access no file outside the database.
    if !parts.all(|part| matches!(part, Component::Normal(_))) {
        return None;
    }
    let data = std::fs::read(folder.join(name)).ok()?;
    TimeZone::tzif(name, &data).ok()
}

/// When a season begins: on the given weekday of a month, counted from its first, and at a time of day.
#[cfg(any(windows, test))]
#[derive(Debug, Clone, Copy)]
struct Begin {
    month: u16,
    /// 1 for the first such weekday of the month, 5 for the last.
    week: u16,
    /// 0 for Sunday.
    day: u16,
    time: (u16, u16, u16),
}

/// The rules of a time zone as in Windows: minutes from local time to UTC, and when daylight saving time applies.
#[cfg(any(windows, test))]
#[derive(Debug, Clone, Copy)]
struct Rules {
    standard: i32,
    /// The offset in daylight saving time, and its beginning and end; `None` without daylight saving time.
    summer: Option<(i32, Begin, Begin)>,
}

#[cfg(any(windows, test))]
impl Rules {
    #[cfg(windows)]
    fn of(zone: &windows_sys::Win32::System::Time::TIME_ZONE_INFORMATION, season: u32) -> Self {
        /// The value that Windows returns during daylight saving time.
        const TIME_ZONE_ID_DAYLIGHT: u32 = 2;
        let begin = |date: &windows_sys::Win32::Foundation::SYSTEMTIME| {
            // With a year, the date applies to that year only.
            (date.wMonth != 0 && date.wYear == 0).then_some(Begin {
                month: date.wMonth,
                week: date.wDay,
                day: date.wDayOfWeek,
                time: (date.wHour, date.wMinute, date.wSecond),
            })
        };
        let standard = zone.Bias + zone.StandardBias;
        let summer = zone.Bias + zone.DaylightBias;
        match (begin(&zone.DaylightDate), begin(&zone.StandardDate)) {
            (Some(from), Some(to)) => Self {
                standard,
                summer: Some((summer, from, to)),
            },
            // Use the current offset.
            _ if season == TIME_ZONE_ID_DAYLIGHT => Self {
                standard: summer,
                summer: None,
            },
            _ => Self {
                standard,
                summer: None,
            },
        }
    }

    fn zone(self) -> Option<TimeZone> {
        TimeZone::posix(&self.to_posix()).ok()
    }

    /// Formats the rules as POSIX does, such as `STD-01:00DST-02:00,M3.5.0/02:00:00,M10.5.0/03:00:00`.
    fn to_posix(self) -> String {
        let offset = |minutes: i32| {
            let sign = if minutes < 0 { "-" } else { "" };
            let minutes = minutes.unsigned_abs();
            format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
        };
        let mut text = format!("STD{}", offset(self.standard));
        if let Some((summer, from, to)) = self.summer {
            text += &format!("DST{}", offset(summer));
            for begin in [from, to] {
                let (hour, minute, second) = begin.time;
                // Writing to a string cannot fail.
                let _ = write!(
                    text,
                    ",M{}.{}.{}/{hour:02}:{minute:02}:{second:02}",
                    begin.month, begin.week, begin.day
                );
            }
        }
        text
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn at(zone: &TimeZone, time: &str) -> String {
        let time: Timestamp = time.parse().unwrap();
        let local = time.to_zoned(zone.clone());
        local.strftime("%Y-%m-%d %H:%M").to_string()
    }

    fn begin(month: u16, week: u16, day: u16, hour: u16) -> Begin {
        Begin {
            month,
            week,
            day,
            time: (hour, 0, 0),
        }
    }

    #[test]
    fn windows_rules_convert_to_a_time_zone() {
        let berlin = Rules {
            standard: -60,
            summer: Some((-120, begin(3, 5, 0, 2), begin(10, 5, 0, 3))),
        };
        assert_eq!(
            berlin.to_posix(),
            "STD-01:00DST-02:00,M3.5.0/02:00:00,M10.5.0/03:00:00"
        );
        let sydney = Rules {
            standard: -600,
            summer: Some((-660, begin(10, 1, 0, 2), begin(4, 1, 0, 3))),
        };
        let new_york = Rules {
            standard: 300,
            summer: Some((240, begin(3, 2, 0, 2), begin(11, 1, 0, 2))),
        };
        let kolkata = Rules {
            standard: -330,
            summer: None,
        };
        let marquesas = Rules {
            standard: 570,
            summer: None,
        };
        for (rules, winter, summer) in [
            (berlin, "2026-01-15 13:00", "2026-07-15 14:00"),
            (sydney, "2026-01-15 23:00", "2026-07-15 22:00"),
            (new_york, "2026-01-15 07:00", "2026-07-15 08:00"),
            (kolkata, "2026-01-15 17:30", "2026-07-15 17:30"),
            (marquesas, "2026-01-15 02:30", "2026-07-15 02:30"),
        ] {
            let zone = rules.zone().unwrap();
            assert_eq!(at(&zone, "2026-01-15T12:00:00Z"), winter, "{rules:?}");
            assert_eq!(at(&zone, "2026-07-15T12:00:00Z"), summer, "{rules:?}");
        }
        // The change is exact to the minute.
        let zone = berlin.zone().unwrap();
        assert_eq!(at(&zone, "2026-03-29T00:59:00Z"), "2026-03-29 01:59");
        assert_eq!(at(&zone, "2026-03-29T01:00:00Z"), "2026-03-29 03:00");
        assert_eq!(at(&zone, "2026-10-25T00:59:00Z"), "2026-10-25 02:59");
        assert_eq!(at(&zone, "2026-10-25T01:00:00Z"), "2026-10-25 02:00");
    }

    #[cfg(windows)]
    #[test]
    fn windows_time_zone_is_available() {
        let (zone, season) = crate::windows::time_zone().unwrap();
        let rules = Rules::of(&zone, season);
        assert!(rules.zone().is_some(), "{rules:?}");
    }

    #[cfg(unix)]
    #[test]
    fn time_zones_are_found_only_by_name() {
        let folder = Path::new("/usr/share/zoneinfo");
        for name in ["Asia/Tokyo", ":Asia/Tokyo"] {
            let zone = in_database(folder, name).unwrap();
            assert_eq!(at(&zone, "2026-01-15T20:00:00Z"), "2026-01-16 05:00");
        }
        for other in [
            "",
            ":",
            "Asia",
            "../zoneinfo/Asia/Tokyo",
            "/etc/localtime",
            "JST-9",
        ] {
            assert_eq!(in_database(folder, other), None, "{other}");
        }
    }
}
