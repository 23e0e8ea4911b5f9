//! Draws a user code in large letters made of half blocks, three rows high.
//!
//! Only A to Z, 0 to 9 and `-` have letters: a code is shown exactly as it was sent, so lowercase letters are not
//! converted.

use super::text::width;

/// The rows of pixels of each character, from the top. Two rows of pixels make one row of text.
#[rustfmt::skip]
const FONT: [(char, [&str; 5]); 37] = [
    ('A', [".##.", "#..#", "####", "#..#", "#..#"]),
    ('B', ["###.", "#..#", "###.", "#..#", "###."]),
    ('C', [".###", "#...", "#...", "#...", ".###"]),
    ('D', ["###.", "#..#", "#..#", "#..#", "###."]),
    ('E', ["####", "#...", "###.", "#...", "####"]),
    ('F', ["####", "#...", "###.", "#...", "#..."]),
    ('G', [".###", "#...", "#.##", "#..#", ".###"]),
    ('H', ["#..#", "#..#", "####", "#..#", "#..#"]),
    ('I', ["###", ".#.", ".#.", ".#.", "###"]),
    ('J', ["..##", "...#", "...#", "#..#", ".##."]),
    ('K', ["#..#", "#.#.", "##..", "#.#.", "#..#"]),
    ('L', ["#...", "#...", "#...", "#...", "####"]),
    ('M', ["#...#", "##.##", "#.#.#", "#...#", "#...#"]),
    ('N', ["#...#", "##..#", "#.#.#", "#..##", "#...#"]),
    ('O', [".###.", "#...#", "#...#", "#...#", ".###."]),
    ('P', ["###.", "#..#", "###.", "#...", "#..."]),
    ('Q', [".###.", "#...#", "#.#.#", "#..#.", ".##.#"]),
    ('R', ["###.", "#..#", "###.", "#.#.", "#..#"]),
    ('S', [".####", "#....", ".###.", "....#", "####."]),
    ('T', ["#####", "..#..", "..#..", "..#..", "..#.."]),
    ('U', ["#..#", "#..#", "#..#", "#..#", ".##."]),
    ('V', ["#...#", "#...#", "#...#", ".#.#.", "..#.."]),
    ('W', ["#...#", "#...#", "#.#.#", "##.##", "#...#"]),
    ('X', ["#...#", ".#.#.", "..#..", ".#.#.", "#...#"]),
    ('Y', ["#...#", ".#.#.", "..#..", "..#..", "..#.."]),
    ('Z', ["#####", "...#.", "..#..", ".#...", "#####"]),
    ('0', [".##.", "#..#", "#.##", "##.#", ".##."]),
    ('1', [".#.", "##.", ".#.", ".#.", "###"]),
    ('2', ["###.", "...#", ".##.", "#...", "####"]),
    ('3', ["###.", "...#", ".##.", "...#", "###."]),
    ('4', ["#..#", "#..#", "####", "...#", "...#"]),
    ('5', ["####", "#...", "###.", "...#", "###."]),
    ('6', [".##.", "#...", "###.", "#..#", ".##."]),
    ('7', ["####", "...#", "..#.", ".#..", ".#.."]),
    ('8', [".##.", "#..#", ".##.", "#..#", ".##."]),
    ('9', [".##.", "#..#", ".###", "...#", ".##."]),
    ('-', ["...", "...", "###", "...", "..."]),
];

/// Returns the code as three rows of large letters, at most `columns` wide: with two columns between letters if they
/// fit, otherwise one. `None` if they don't fit, or if the code contains other characters.
pub(in crate::tui) fn block_letters(code: &str, columns: usize) -> Option<[String; 3]> {
    let letters: Vec<&[&str; 5]> = code.chars().map(pixels).collect::<Option<_>>()?;
    if letters.is_empty() {
        return None;
    }
    let rows = |gap: &str| {
        [0, 2, 4].map(|top| {
            let row = letters.iter().map(|letter| half_blocks(letter, top));
            row.collect::<Vec<_>>().join(gap)
        })
    };
    ["  ", " "]
        .map(rows)
        .into_iter()
        .find(|rows| width(&rows[0]) <= columns)
}

fn pixels(ch: char) -> Option<&'static [&'static str; 5]> {
    let mut known = FONT.iter();
    known.find_map(|(known, rows)| (*known == ch).then_some(rows))
}

/// Returns two rows of pixels as one row of text. The sixth row of pixels is empty.
fn half_blocks(letter: &[&str; 5], top: usize) -> String {
    let lower = letter.get(top + 1).copied().unwrap_or_default();
    let lower = lower.chars().chain(std::iter::repeat('.'));
    let pairs = letter[top].chars().zip(lower);
    pairs
        .map(|pair| match pair {
            ('#', '#') => '█',
            ('#', _) => '▀',
            (_, '#') => '▄',
            _ => ' ',
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_drawn_in_half_blocks() {
        let wide = [
            "█   █  █▀▀▄    ▀█  █▀▀▄       █▄ ▄█    ▀█  █  █  ▀▀█▀▀",
            "█▄▀▄█  █  █  ▄  █  █▀▀▄  ▀▀▀  █ ▀ █  ▄  █  █▀▀█    █  ",
            "▀   ▀  ▀▀▀    ▀▀   ▀▀▀        ▀   ▀   ▀▀   ▀  ▀    ▀  ",
        ];
        assert_eq!(block_letters("WDJB-MJHT", 54).unwrap(), wide);
        let narrow = block_letters("WDJB-MJHT", 53).unwrap();
        assert_eq!(width(&narrow[0]), 46);
        assert_eq!(block_letters("WDJB-MJHT", 46).unwrap(), narrow);
        assert_eq!(block_letters("WDJB-MJHT", 45), None);
    }

    #[test]
    fn only_characters_in_the_font_are_drawn() {
        for code in ["wdjb", "WD JB", "ÄB", "A_B", ""] {
            assert_eq!(block_letters(code, 200), None, "{code}");
        }
        let drawn: Vec<[String; 3]> = FONT
            .iter()
            .map(|(ch, _)| block_letters(&ch.to_string(), 5).unwrap())
            .collect();
        for (at, one) in drawn.iter().enumerate() {
            assert!(drawn[at + 1..].iter().all(|other| other != one), "{at}");
        }
        // All rows of a letter have the same width.
        for (ch, rows) in FONT {
            assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{ch}");
        }
    }
}
