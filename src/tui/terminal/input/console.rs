//! Reads the records of the Windows console.

use std::time::Instant;

use crossterm::event::{Event, KeyModifiers};
use crossterm_winapi::{Console, Handle, InputRecord, KeyEventRecord};
use tokio::sync::mpsc;

use crate::keyboard::records::{Record, Records};

/// The bits of a record's control key state, with the names that Windows uses.
const ALT_PRESSED: u32 = 0x0001 | 0x0002;
const CTRL_PRESSED: u32 = 0x0004 | 0x0008;
const SHIFT_PRESSED: u32 = 0x0010;
const ENHANCED_KEY: u32 = 0x0100;

/// Reads until the console is gone, or the receiver is dropped.
pub(super) fn read(events: &mpsc::Sender<(Event, Instant)>) {
    let Ok(input) = Handle::current_in_handle() else {
        return;
    };
    let console = Console::from(input);
    let mut records = Records::default();
    while let Ok(first) = console.read_single_input_event() {
        // Records that wait together arrived together, however busy the machine is; a paste is recognized by that.
        let at = Instant::now();
        let Ok(rest) = console.read_console_input() else {
            return;
        };
        for record in std::iter::once(first).chain(rest) {
            let Some((event, count)) = event(&mut records, &record) else {
                continue;
            };
            for _ in 0..count {
                if events.blocking_send((event.clone(), at)).is_err() {
                    return;
                }
            }
        }
    }
}

/// Returns the event of a record, and how often it happened.
fn event(records: &mut Records, record: &InputRecord) -> Option<(Event, u16)> {
    match record {
        InputRecord::KeyEvent(record) => {
            let (key, count) = records.feed(&translated(record))?;
            Some((Event::Key(key), count))
        }
        // The size in the record is not the size of the window.
        InputRecord::WindowBufferSizeEvent(_) => Some((Event::Resize(0, 0), 1)),
        InputRecord::MouseEvent(_) | InputRecord::FocusEvent(_) | InputRecord::MenuEvent(_) => None,
    }
}

fn translated(record: &KeyEventRecord) -> Record {
    let state = record.control_key_state;
    let mut modifiers = KeyModifiers::NONE;
    modifiers.set(KeyModifiers::ALT, state.has_state(ALT_PRESSED));
    modifiers.set(KeyModifiers::CONTROL, state.has_state(CTRL_PRESSED));
    modifiers.set(KeyModifiers::SHIFT, state.has_state(SHIFT_PRESSED));
    Record {
        down: record.key_down,
        repeat: record.repeat_count,
        key: record.virtual_key_code,
        unit: record.u_char,
        modifiers,
        enhanced: state.has_state(ENHANCED_KEY),
    }
}
