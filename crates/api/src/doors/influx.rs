//! InfluxDB's write paths, `/write` and `/api/v2/write`, and what its clients ask first: `/ping`, `/query`, `/health`.

use super::body::unpacked;
use super::{LINES_BYTES_MAX, take_lines};
use crate::answer::{self, Answer, Failure};
use crate::params::Params;
use crate::services::Services;
use axum::extract::{Request, State};
use axum::response::Response;
use http::{HeaderValue, StatusCode};
use ingest::influx::{Options, Precision, decode};
use serde_json::json;
use std::sync::Arc;

/// The version whose answers these are.
const VERSION: &str = "1.8.10";

/// `/write` of version 1: parameters `db`, `precision`.
pub(crate) async fn write_v1(State(services): State<Arc<Services>>, request: Request) -> Response {
    write(services, request, "db", |status, _code, message| {
        let body = json!({"error": message}).to_string();
        let mut response = answer::with_status(status, answer::json_text(body + "\n"));
        let shown = message.replace(['\n', '\r'], "; ");
        if let Ok(value) = HeaderValue::from_str(&shown) {
            response.headers_mut().insert("X-Influxdb-Error", value);
        }
        response
    })
    .await
}

/// `/api/v2/write` of version 2: parameters `bucket`, `precision`.
pub(crate) async fn write_v2(State(services): State<Arc<Services>>, request: Request) -> Response {
    write(services, request, "bucket", |status, code, message| {
        let body = json!({"code": code, "message": message}).to_string();
        answer::with_status(status, answer::json_text(body))
    })
    .await
}

async fn write(
    services: Arc<Services>,
    request: Request,
    database: &'static str,
    refuse: impl Fn(StatusCode, &str, &str) -> Response,
) -> Response {
    let params = Params::parse(request.uri().query().unwrap_or_default());
    let mut response = match take(&services, request, (&params, database)).await {
        Ok(None) => answer::empty(StatusCode::NO_CONTENT),
        Ok(Some(complaint)) => refuse(StatusCode::BAD_REQUEST, "invalid", &complaint),
        Err(failure) => {
            let code = match failure.status() {
                StatusCode::PAYLOAD_TOO_LARGE => "request too large",
                StatusCode::SERVICE_UNAVAILABLE => "unavailable",
                _ => "invalid",
            };
            refuse(failure.status(), code, failure.message())
        }
    };
    name_version(&mut response);
    response
}

/// Stores the good lines; answers what is to be said of the others.
async fn take(
    services: &Arc<Services>,
    request: Request,
    (params, database): (&Params, &'static str),
) -> Result<Option<String>, Failure> {
    let name = params.get("precision").unwrap_or_default();
    let precision = Precision::from_name(name).ok_or_else(|| {
        Failure::bad_data(format!(
            "invalid precision {name:?} (use n, u, ms, s, m or h)"
        ))
    })?;
    let database = params.get(database).or_else(|| params.get("db"));
    let database = database.unwrap_or_default().to_owned();
    let (parts, body) = request.into_parts();
    let body = unpacked(&parts.headers, body, LINES_BYTES_MAX).await?;
    let now = services.clock.now();
    let taken = take_lines(services, "influx", move || {
        let options = Options {
            precision,
            database: &database,
            now,
        };
        decode(&body, options)
    })
    .await?;
    Ok(taken.complaint.map(|complaint| {
        let dropped = taken.refused + taken.samples.saturating_sub(taken.appended.accepted);
        format!("partial write: {complaint} dropped={dropped}")
    }))
}

/// `/ping`
pub(crate) async fn ping(State(services): State<Arc<Services>>, request: Request) -> Response {
    let params = Params::parse(request.uri().query().unwrap_or_default());
    let mut response = match params.get("verbose") {
        None | Some("0" | "false") => answer::empty(StatusCode::NO_CONTENT),
        Some(_) => answer::json_text(json!({"version": services.about.version}).to_string()),
    };
    name_version(&mut response);
    response
}

/// `/health` of version 2.
pub(crate) async fn health(State(services): State<Arc<Services>>) -> Response {
    answer::plain_json(&json!({
        "name": "influxdb",
        "message": "ready for queries and writes",
        "status": "pass",
        "checks": [],
        "version": services.about.version,
    }))
}

/// `/query`: clients make their database with it before they write. There is nothing to make, so every statement has an
/// empty result; `SHOW DATABASES` names the one that is asked for.
pub(crate) async fn query(State(_services): State<Arc<Services>>, params: Params) -> Answer {
    let Some(statement) = params.get("q") else {
        return Ok(answer::with_status(
            StatusCode::BAD_REQUEST,
            answer::json_text("{\"error\":\"missing required parameter \\\"q\\\"\"}\n".to_owned()),
        ));
    };
    let statement = statement.trim().trim_end_matches(';').to_lowercase();
    let result = if statement.starts_with("show databases") {
        let name = params.get("db").unwrap_or("binnacle");
        json!({"statement_id": 0, "series": [{"name": "databases", "columns": ["name"], "values": [[name]]}]})
    } else if statement.starts_with("create ") || statement.starts_with("show ") {
        json!({"statement_id": 0})
    } else {
        json!({"statement_id": 0, "error": "InfluxQL is not answered here; ask with PromQL at /api/v1/query"})
    };
    let mut response = answer::plain_json(&json!({"results": [result]}));
    name_version(&mut response);
    Ok(response)
}

fn name_version(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert("X-Influxdb-Version", HeaderValue::from_static(VERSION));
    headers.insert("X-Influxdb-Build", HeaderValue::from_static("OSS"));
}
