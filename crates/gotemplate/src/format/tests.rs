//! Round trips and properties; what Printf gives is checked by whole templates.

use proptest::prelude::*;

use super::{print, printf, quote, unquote};
use crate::value::Value;

proptest! {
    #[test]
    fn quoted_text_reads_back(text in any::<String>()) {
        prop_assert_eq!(unquote(&quote(&text)), Some(text));
    }

    #[test]
    fn any_format_gives_a_text(format in "[%+#0 -]{0,4}[0-9*.\\[\\]]{0,6}[vTdsqxXobcUeEfFgGtp%z]{0,3}", number in any::<f64>(), int in any::<i64>()) {
        let format = format!("%{format}");
        for arguments in [vec![], vec![Value::Float(number)], vec![Value::Int(int), Value::str("é\n"), Value::Nil]] {
            prop_assert!(printf(&format, &arguments).is_ok());
        }
    }

    #[test]
    fn printed_floats_read_back(number in any::<f64>()) {
        for verb in ["%v", "%g", "%e"] {
            let text = printf(verb, &[Value::Float(number)]).unwrap();
            if verb != "%e" && number.is_finite() {
                prop_assert_eq!(text.parse::<f64>().ok(), Some(number));
            }
        }
        prop_assert_eq!(print(&[Value::Float(number)]).unwrap(), printf("%v", &[Value::Float(number)]).unwrap());
    }
}
