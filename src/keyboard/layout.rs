//! Maps letters of non-Latin keyboard layouts to the Latin letter on the same key, so that commands work in any layout.

/// Letters of a layout, and below them the Latin letters on the same keys. From the layouts of X11.
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

/// Offset from a character to its full-width form.
const FULL_WIDTH: u32 = 0xfee0;

/// Returns the Latin character on the same key as `ch`, in lowercase; `None` if it is not known.
#[must_use]
pub fn latin(ch: char) -> Option<char> {
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
    fn layouts_map_every_letter_to_a_key() {
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
