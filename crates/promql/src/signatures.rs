//! The functions' names and types: what the parser checks. What they compute is in `functions`.
//!
//! One line a function, sorted by name; the set is that of Prometheus 3.14, experimental ones
//! included.

use crate::ast::ValueType::{self, Matrix, Scalar, String, Vector};

/// A function's type.
#[derive(Debug, PartialEq, Eq)]
pub struct Signature {
    /// As written.
    pub name: &'static str,
    /// Types of the arguments; the last may repeat or be left out as `variadic` says.
    pub arguments: &'static [ValueType],
    /// 0: exactly `arguments`; n > 0: the last may be left out and be given up to n times;
    /// −1: the last may be left out and be given any number of times.
    pub variadic: i32,
    /// What it gives.
    pub returns: ValueType,
    /// Whether upstream calls it experimental.
    pub experimental: bool,
}

impl Signature {
    /// How few arguments it takes.
    #[must_use]
    pub const fn arguments_min(&self) -> usize {
        if self.variadic == 0 {
            self.arguments.len()
        } else {
            self.arguments.len().saturating_sub(1)
        }
    }

    /// How many arguments it takes; `None` where there is no limit.
    #[must_use]
    pub fn arguments_max(&self) -> Option<usize> {
        match usize::try_from(self.variadic) {
            Ok(0) => Some(self.arguments.len()),
            Ok(extra) => Some(self.arguments_min() + extra),
            Err(_negative) => None,
        }
    }
}

/// Finds a function by its name, which is case-sensitive.
#[must_use]
pub fn find(name: &str) -> Option<&'static Signature> {
    SIGNATURES
        .binary_search_by(|signature| signature.name.cmp(name))
        .ok()
        .and_then(|index| SIGNATURES.get(index))
}

const fn stable(name: &'static str, arguments: &'static [ValueType]) -> Signature {
    Signature {
        name,
        arguments,
        variadic: 0,
        returns: Vector,
        experimental: false,
    }
}

const fn experimental(name: &'static str, arguments: &'static [ValueType]) -> Signature {
    Signature {
        experimental: true,
        ..stable(name, arguments)
    }
}

impl Signature {
    const fn variadic(self, variadic: i32) -> Self {
        Self { variadic, ..self }
    }

    const fn scalar(self) -> Self {
        Self {
            returns: Scalar,
            ..self
        }
    }
}

/// All functions, sorted by name.
#[rustfmt::skip]
pub static SIGNATURES: &[Signature] = &[
    stable("abs", &[Vector]),
    stable("absent", &[Vector]),
    stable("absent_over_time", &[Matrix]),
    stable("acos", &[Vector]),
    stable("acosh", &[Vector]),
    stable("asin", &[Vector]),
    stable("asinh", &[Vector]),
    stable("atan", &[Vector]),
    stable("atanh", &[Vector]),
    stable("avg_over_time", &[Matrix]),
    stable("ceil", &[Vector]),
    stable("changes", &[Matrix]),
    stable("clamp", &[Vector, Scalar, Scalar]),
    stable("clamp_max", &[Vector, Scalar]),
    stable("clamp_min", &[Vector, Scalar]),
    stable("cos", &[Vector]),
    stable("cosh", &[Vector]),
    stable("count_over_time", &[Matrix]),
    stable("day_of_month", &[Vector]).variadic(1),
    stable("day_of_week", &[Vector]).variadic(1),
    stable("day_of_year", &[Vector]).variadic(1),
    stable("days_in_month", &[Vector]).variadic(1),
    stable("deg", &[Vector]),
    stable("delta", &[Matrix]),
    stable("deriv", &[Matrix]),
    experimental("double_exponential_smoothing", &[Matrix, Scalar, Scalar]),
    experimental("end", &[]).scalar(),
    stable("exp", &[Vector]),
    experimental("first_over_time", &[Matrix]),
    stable("floor", &[Vector]),
    stable("histogram_avg", &[Vector]),
    stable("histogram_count", &[Vector]),
    stable("histogram_fraction", &[Scalar, Scalar, Vector]),
    stable("histogram_quantile", &[Scalar, Vector]),
    experimental("histogram_quantiles", &[Vector, String, Scalar, Scalar]).variadic(9),
    stable("histogram_stddev", &[Vector]),
    stable("histogram_stdvar", &[Vector]),
    stable("histogram_sum", &[Vector]),
    stable("hour", &[Vector]).variadic(1),
    stable("idelta", &[Matrix]),
    stable("increase", &[Matrix]),
    experimental("info", &[Vector, Vector]).variadic(1),
    stable("irate", &[Matrix]),
    stable("label_join", &[Vector, String, String, String]).variadic(-1),
    stable("label_replace", &[Vector, String, String, String, String]),
    stable("last_over_time", &[Matrix]),
    stable("ln", &[Vector]),
    stable("log10", &[Vector]),
    stable("log2", &[Vector]),
    experimental("mad_over_time", &[Matrix]),
    experimental("max_of", &[Scalar, Scalar]).scalar(),
    stable("max_over_time", &[Matrix]),
    experimental("min_of", &[Scalar, Scalar]).scalar(),
    stable("min_over_time", &[Matrix]),
    stable("minute", &[Vector]).variadic(1),
    stable("month", &[Vector]).variadic(1),
    stable("pi", &[]).scalar(),
    stable("predict_linear", &[Matrix, Scalar]),
    stable("present_over_time", &[Matrix]),
    stable("quantile_over_time", &[Scalar, Matrix]),
    stable("rad", &[Vector]),
    experimental("range", &[]).scalar(),
    stable("rate", &[Matrix]),
    stable("resets", &[Matrix]),
    stable("round", &[Vector, Scalar]).variadic(1),
    stable("scalar", &[Vector]).scalar(),
    stable("sgn", &[Vector]),
    stable("sin", &[Vector]),
    stable("sinh", &[Vector]),
    stable("sort", &[Vector]),
    experimental("sort_by_label", &[Vector, String]).variadic(-1),
    experimental("sort_by_label_desc", &[Vector, String]).variadic(-1),
    stable("sort_desc", &[Vector]),
    stable("sqrt", &[Vector]),
    experimental("start", &[]).scalar(),
    experimental("start_timestamp", &[Vector]),
    stable("stddev_over_time", &[Matrix]),
    stable("stdvar_over_time", &[Matrix]),
    experimental("step", &[]).scalar(),
    stable("sum_over_time", &[Matrix]),
    stable("tan", &[Vector]),
    stable("tanh", &[Vector]),
    stable("time", &[]).scalar(),
    stable("timestamp", &[Vector]),
    experimental("ts_of_first_over_time", &[Matrix]),
    experimental("ts_of_last_over_time", &[Matrix]),
    experimental("ts_of_max_over_time", &[Matrix]),
    experimental("ts_of_min_over_time", &[Matrix]),
    stable("vector", &[Scalar]),
    stable("year", &[Vector]).variadic(1),
];

#[cfg(test)]
mod tests {
    use super::{SIGNATURES, find};

    #[test]
    fn table_is_sorted_so_that_find_finds() {
        assert!(SIGNATURES.is_sorted_by(|a, b| a.name < b.name));
        for signature in SIGNATURES {
            assert_eq!(find(signature.name), Some(signature));
        }
        assert_eq!(find("holt_winters"), None);
    }

    #[test]
    fn counts_arguments() {
        let check = |name, min, max| {
            let signature = find(name).unwrap();
            assert_eq!(
                (signature.arguments_min(), signature.arguments_max()),
                (min, max),
                "{name}"
            );
        };
        check("rate", 1, Some(1));
        check("time", 0, Some(0));
        check("round", 1, Some(2));
        check("hour", 0, Some(1));
        check("label_join", 3, None);
        check("histogram_quantiles", 3, Some(12));
    }
}
