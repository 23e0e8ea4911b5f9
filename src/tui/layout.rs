//! Letters of other keyboards, by their place on a Latin one: a key that is a command is where it is, whatever is on it.

/// Letters, and below each the Latin one at its place. From the layouts of X11.
const LAYOUTS: [(&str, &str); 8] = [
    // Russian, Ukrainian and Belarusian.
    (
        "йцукенгшщзхъфывапролджэячсмитьбюіїєў",
        "qwertyuiop[]asdfghjkl;'zxcvbnm,.s]'o",
    ),
    // Greek.
    ("ςερτυθιοπασδφγηξκλζχψωβνμ", "wertyuiopasdfghjklzxcvbnm"),
    // Hebrew.
    ("קראטוןםפשדגכעיחלךזסבהנמצ", "ertyuiopasdfghjklzxcvbnm"),
    // Arabic.
    ("ضصثقفغعهخحشسيبلاتنمئءؤرىة", "qwertyuiopasdfghjklzxcvnm"),
    // Persian, where it differs from Arabic.
    ("یکظطزذدپ", "d;zxcbnm"),
    // Thai.
    ("ๆไำพะัีรนยฟหกดเ้่าสผปแอิืท", "qwertyuiopasdfghjklzxcvbnm"),
    // Korean.
    (
        "ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔㅁㄴㅇㄹㅎㅗㅓㅏㅣㅋㅌㅊㅍㅠㅜㅡ",
        "qwertyuiopasdfghjklzxcvbnm",
    ),
    // Georgian.
    ("ქწერტყუიოპასდფგჰჯკლზხცვბნმ", "qwertyuiopasdfghjklzxcvbnm"),
];

/// What a full-width form is more than its character.
const FULL_WIDTH: u32 = 0xfee0;

/// The Latin character at the place of `ch`, in lowercase; `None` if it is not known.
#[must_use]
pub(in crate::tui) fn latin(ch: char) -> Option<char> {
    let lower = ch.to_lowercase().next().unwrap_or(ch);
    if let '\u{ff01}'..='\u{ff5e}' = lower {
        return char::from_u32(u32::from(lower) - FULL_WIDTH);
    }
    LAYOUTS.iter().find_map(|(letters, places)| {
        let at = letters.chars().position(|letter| letter == lower)?;
        places.chars().nth(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_has_a_place() {
        for (letters, places) in LAYOUTS {
            assert_eq!(letters.chars().count(), places.chars().count(), "{letters}");
        }
        let same = [
            'с', 'С', 'ψ', 'Ψ', 'ב', 'ؤ', 'ز', 'แ', 'ㅊ', 'ც', 'ｃ', 'Ｃ',
        ];
        assert!(same.into_iter().all(|letter| latin(letter) == Some('c')));
        assert_eq!(latin('日'), None);
    }
}
