use super::Regex;

fn check(pattern: &str, text: &str, want: bool) {
    let regex = Regex::new(pattern).expect(pattern);
    assert_eq!(regex.is_match(text), want, "{pattern} on {text:?}");
}

#[test]
fn reads_anchors_quotes_and_braces_as_go_does() {
    // Anchors and newlines.
    check("a", "ba", false);
    check("^a$", "a", true);
    check("a|b", "ab", false);
    check("", "", true);
    check("", "x", false);
    check("a.c", "a\nc", true);
    check("(?-s)a.c", "a\nc", false);
    check("a$", "a\n", false);
    check("(?m)a$\n^b", "a\nb", true);
    check("a$\nb", "a\nb", false);
    check(r"\Aa\z", "a", true);
    check("^*a", "a", true);
    // Quoting.
    check(r"\Qa.b\E+", "a.bb", true);
    check(r"\Qa.b\E", "axb", false);
    check(r"\Qa.b", "a.b", true);
    check(r"a\Q\E+", "aa", true);
    check(r"\.\_\-\ ", "._- ", true);
    // Braces that repeat nothing.
    check("a{", "a{", true);
    check("a{,2}", "a{,2}", true);
    check("a{1,2", "a{1,2", true);
    check("a{02}", "a{02}", true);
    check("a{x}", "a{x}", true);
    check("a{2}", "aa", true);
    check("a{2,}", "aaaa", true);
    check("a}", "a}", true);
    check("]", "]", true);
}

#[test]
fn reads_classes_as_go_does() {
    // ASCII classes and boundaries.
    check(r"\d+", "42", true);
    check(r"\d", "٣", false);
    check(r"\w+", "é", false);
    check(r"\W", "é", true);
    check(r"\s", "\u{a0}", false);
    check(r"\s", "\u{b}", false);
    check(r"[\d]", "7", true);
    check(r"[\D]", "x", true);
    check(r"[^\D]", "7", true);
    check(r"[\d-z]+", "7-z", true);
    check(r"é\bb", "éb", true);
    check(r"a\Bb", "ab", true);
    check(r"é\Bb", "éb", false);
    check(r"é\Bé", "éé", true);
    check("[[:alpha:]]+", "abc", true);
    check("[[:alpha:]]", "é", false);
    check("[[:^alpha:]]", "é", true);
    check("[[:word:]-]+", "a_-", true);
    // What is a set operator elsewhere.
    check("[[]", "[", true);
    check("[a&&b]", "&", true);
    check("[!--b]+", "-b", true);
    check("[a~~b]+", "~", true);
    check("[]a]", "]", true);
    check("[^]a]", "]", false);
    check("[a-c]", "b", true);
    check("[a^]", "^", true);
    check("[-a]", "-", true);
    check("[a-]", "-", true);
    check("[[:x]+", "[:x", true);
    // Escapes.
    check(r"\101", "A", true);
    check(r"\0", "\0", true);
    check(r"[\101-\103]", "B", true);
    check(r"\x41\x{1F600}", "A\u{1f600}", true);
    check(r"\x{10FFFF}", "\u{10ffff}", true);
    check(r"\a\f\t\n\r\v", "\u{7}\u{c}\t\n\r\u{b}", true);
    // Unicode classes.
    check(r"\pN\p{L}\p{Greek}", "1aα", true);
    check(r"\p{^Greek}\P{Greek}", "ab", true);
    check(r"\P{^Greek}", "α", true);
    check(r"[\pL\d]+", "é1", true);
    check(r"\p{Any}\p{ASCII}", "éa", true);
    check(r"\p{letter}", "é", true);
}

#[test]
fn reads_flags_and_groups_as_go_does() {
    // Case.
    check("(?i)abc", "ABC", true);
    check("(?i)k", "\u{212a}", true);
    check("(?i:api|web)-[0-9]", "WEB-3", true);
    check("(?i:api)web", "APIWEB", false);
    check("(?i)a(?-i)b", "Ab", true);
    check("(?i)a(?-i)b", "AB", false);
    check("(?ii-i)a", "A", false);
    // Groups.
    check("(?P<x>a)b", "ab", true);
    check("(?<1x>a)b", "ab", true);
    check("(?:a|)b", "b", true);
    check("(|a)+", "aa", true);
    check("a(?i)+", "aa", true);
    check("()", "", true);
    check("(?)a", "a", true);
    // Greed makes no difference to whether a whole text matches.
    check("(?U)a+?b*", "aab", true);
    check("a??b", "ab", true);
    check("(a{10}){100}", &"a".repeat(1000), true);
    check("fo(o|b)", "fob", true);
}

#[test]
fn refuses_what_go_refuses_in_its_words() {
    let check = |pattern: &str, why: &str| {
        let found = Regex::new(pattern).err();
        let want = format!("error parsing regexp: {why}");
        assert_eq!(found.as_deref(), Some(want.as_str()), "{pattern}");
    };
    check("(", "missing closing ): `(`");
    check("a(b(c)", "missing closing ): `a(b(c)`");
    check("a)", "unexpected ): `a)`");
    check("[a", "missing closing ]: `[a`");
    check("x[a-", "missing closing ]: `[a-`");
    check("[]", "missing closing ]: `[]`");
    check("*", "missing argument to repetition operator: `*`");
    check("a|+b", "missing argument to repetition operator: `+`");
    check("(*a)", "missing argument to repetition operator: `*`");
    check("{2}", "missing argument to repetition operator: `{2}`");
    check("(?i)*", "missing argument to repetition operator: `*`");
    check("a**", "invalid nested repetition operator: `**`");
    check("a*?+", "invalid nested repetition operator: `*?+`");
    check("a{2}{3}", "invalid nested repetition operator: `{2}{3}`");
    check("a{1001}", "invalid repeat count: `{1001}`");
    check("a{2,1}", "invalid repeat count: `{2,1}`");
    check(
        "a{1,99999999999}",
        "invalid repeat count: `{1,99999999999}`",
    );
    check("(a{100}){11}", "invalid repeat count: `{11}`");
    check("((a{10}){10}b){11}", "invalid repeat count: `{11}`");
    check("[z-a]", "invalid character class range: `z-a`");
    check("[0--9]", "invalid character class range: `0--`");
    check("[[:foo:]]", "invalid character class range: `[:foo:]`");
    check(r"\p{Nope}", r"invalid character class range: `\p{Nope}`");
    check(
        r"\p{Alphabetic}",
        r"invalid character class range: `\p{Alphabetic}`",
    );
    check(r"\p{gc=L}", r"invalid character class range: `\p{gc=L}`");
    check(r"\8", r"invalid escape sequence: `\8`");
    check(r"\1", r"invalid escape sequence: `\1`");
    check(r"\Z", r"invalid escape sequence: `\Z`");
    check(r"\C", r"invalid escape sequence: `\C`");
    check(r"a\E", r"invalid escape sequence: `\E`");
    check(r"\x4", r"invalid escape sequence: `\x4`");
    check(r"\xyz", r"invalid escape sequence: `\xy`");
    check(r"\x{110000}", r"invalid escape sequence: `\x{110000}`");
    check(r"\é", r"invalid escape sequence: `\é`");
    check(r"[a-\d]", r"invalid escape sequence: `\d`");
    check("\\", "trailing backslash at end of expression: ``");
    check("(?x)a", "invalid or unsupported Perl syntax: `(?x`");
    check("(?=a)", "invalid or unsupported Perl syntax: `(?=`");
    check("(?!a)", "invalid or unsupported Perl syntax: `(?!`");
    check("(?i-)a", "invalid or unsupported Perl syntax: `(?i-)`");
    check("(?P=x)", "invalid or unsupported Perl syntax: `(?P`");
    check("(?<=a)", "invalid named capture: `(?<=a)`");
    check("(?P<a", "invalid named capture: `(?P<a`");
    check("(?P<a-b>x)", "invalid named capture: `(?P<a-b>`");
    check("(?P<a>x)(?P<a>y)", "invalid named capture: `(?P<a>`");
}

#[test]
fn hostile_expressions_are_errors() {
    let check = |pattern: &str, why: &str| {
        let found = Regex::new(pattern).expect_err(why);
        assert!(found.contains(why), "{found:.200}");
    };
    check(&"(".repeat(100_000), "expression nests too deeply");
    check(
        &format!("{}{}", "(".repeat(300), ")".repeat(300)),
        "expression nests too deeply",
    );
    check(r"(\pL{500}|\p{Greek}{500}){2}", "expression too large");
    let deep = format!("{}a{}", "(?:".repeat(240), ")*".repeat(240));
    assert!(
        Regex::new(&deep)
            .expect("as deep as may be")
            .is_match("aaa")
    );
}

#[test]
fn fills_templates() {
    let check = |pattern: &str, text: &str, template: &str, want: Option<&str>| {
        let found = Regex::new(pattern).expect(pattern).expand(text, template);
        assert_eq!(found.as_deref(), want, "{pattern} {template}");
    };
    check("(.*):(.*)", "a:b", "$2-$1", Some("b-a"));
    check("(.*):(.*)", "a:b", "$0", Some("a:b"));
    check("(.*)", "a", "$1x", Some(""));
    check("(.*)", "a", "${1}x", Some("ax"));
    check("(?P<n>.*)", "a", "$n ${n}$$", Some("a a$"));
    check("(?P<1n>.*)", "a", "${1n}", Some("a"));
    check("(.*)", "a", "$ ${ ${} ${1", Some("$ ${ ${} ${1"));
    check("(.*)", "a", "$01$9", Some(""));
    check("(a)|b", "b", "[$1]", Some("[]"));
    check(r"(é)\B(é)", "éé", "$2$1", Some("éé"));
    check("x", "a", "$0", None);
}

#[test]
fn finds_literals() {
    let check = |pattern: &str, want: Option<&[&str]>| {
        let regex = Regex::new(pattern).expect(pattern);
        let want = want.map(|w| w.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>());
        assert_eq!(regex.literals().map(<[String]>::to_vec), want, "{pattern}");
    };
    check("foo|bar|", Some(&["foo", "bar", ""]));
    check("foo", Some(&["foo"]));
    check("a|b", Some(&["a", "b"]));
    check("fo.*", None);
    check("^foo$", None);
    check("(?i)ab", Some(&["AB", "Ab", "aB", "ab"]));
    check("(?i)much too many literals", None);
}

mod property {
    use super::Regex;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_text_makes_it_panic(pattern in "\\PC{0,24}", text in "\\PC{0,8}") {
            if let Ok(regex) = Regex::new(&pattern) {
                let _matched = regex.is_match(&text);
            }
        }

        #[test]
        fn what_is_read_can_be_compiled(
            words in prop::collection::vec(
                prop::sample::select(vec![
                    "a", "é", "(", ")", "(?:", "(?i)", "(?P<n>", "[", "]", "^", "$", "|", "*", "+?", "{2}", "{2,}", "-",
                    "\\d", "\\B", "\\b", "\\pL", "[:alpha:]", "\\Q", "\\E", "\\x41", ".", "&&", "~~", "#", " ",
                ]),
                0..12,
            )
        ) {
            let pattern = words.concat();
            if let Err(why) = Regex::new(&pattern) {
                const KINDS: [&str; 10] = [
                    "missing closing )", "missing closing ]", "unexpected )", "missing argument to repetition operator",
                    "invalid nested repetition operator", "invalid character class range", "invalid escape sequence",
                    "invalid named capture", "invalid or unsupported Perl syntax", "trailing backslash",
                ];
                let is_known = KINDS.iter().any(|kind| why.contains(kind));
                prop_assert!(is_known, "{} {}", pattern, why);
            }
        }
    }
}
