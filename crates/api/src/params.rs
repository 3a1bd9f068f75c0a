//! What a request asks for: the query string and, for forms, the body; names may repeat (`match[]`).

use crate::answer::Failure;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use http::header::CONTENT_TYPE;

/// Bytes of a form at most.
const FORM_BYTES_MAX: usize = 10 << 20;

/// Parameters in the order of the request, those of the body after those of the query string.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params {
    pairs: Vec<(String, String)>,
}

impl Params {
    /// Reads an encoded query string.
    pub(crate) fn parse(encoded: &str) -> Self {
        let pairs = url::form_urlencoded::parse(encoded.as_bytes());
        Self {
            pairs: pairs
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect(),
        }
    }

    /// The first value of a name that is not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).find(|value| !value.is_empty())
    }

    /// Every value of a name.
    pub(crate) fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let name = name.to_owned();
        self.pairs
            .iter()
            .filter(move |(n, _)| *n == name)
            .map(|(_, value)| value.as_str())
    }

    /// A whole number, `None` where it is absent.
    pub(crate) fn count(&self, name: &str) -> Result<Option<usize>, Failure> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        text.parse().map(Some).map_err(|_not_a_number| {
            Failure::bad_data(format!(
                "invalid parameter {name:?}: {text:?} is not a whole number"
            ))
        })
    }

    /// How many entries an answer may have; 0 and absent: any number.
    pub(crate) fn limit(&self) -> Result<Option<usize>, Failure> {
        let Some(text) = self.get("limit") else {
            return Ok(None);
        };
        let bad = |reason: &str| {
            Err(Failure::bad_data(format!(
                "invalid parameter \"limit\": {reason}"
            )))
        };
        match text.parse::<i64>() {
            Ok(limit) if limit < 0 => bad("limit must be non-negative"),
            Ok(limit) => Ok(usize::try_from(limit).ok().filter(|limit| *limit > 0)),
            Err(_not_one) => bad(&format!("{text:?} is not a whole number")),
        }
    }

    /// `true` or `false`; `None` where it is absent.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Failure> {
        match self.get(name) {
            None => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(other) => Err(Failure::bad_data(format!(
                "invalid parameter {name:?}: {other:?} is neither true nor false"
            ))),
        }
    }
}

impl<S: Send + Sync> FromRequest<S> for Params {
    type Rejection = Failure;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Failure> {
        let mut params = Self::parse(request.uri().query().unwrap_or_default());
        let is_form = request.headers().get(CONTENT_TYPE).is_some_and(|kind| {
            kind.as_bytes()
                .starts_with(b"application/x-www-form-urlencoded")
        });
        if is_form {
            let body = read_body(request.into_body(), FORM_BYTES_MAX).await?;
            let text = std::str::from_utf8(&body)
                .map_err(|error| Failure::bad_data(format!("the form is not UTF-8: {error}")))?;
            params.pairs.extend(Self::parse(text).pairs);
        }
        Ok(params)
    }
}

/// Reads a body of at most `bytes_max` bytes.
pub(crate) async fn read_body(body: Body, bytes_max: usize) -> Result<Bytes, Failure> {
    axum::body::to_bytes(body, bytes_max)
        .await
        .map_err(|error| Failure::too_large(format!("the body could not be read: {error}")))
}
