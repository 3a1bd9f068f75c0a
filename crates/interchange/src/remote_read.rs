//! Prometheus' remote read: requests, and answers in both forms: samples at once, or chunks in frames.
//!
//! Source: "Remote Read API" of Prometheus' documentation, `prometheus.ReadRequest`, `ReadResponse` and
//! `ChunkedReadResponse`. A frame is the length of its message (varint), the CRC-32C of the message (4 bytes, highest
//! first), and the message. Only the bytes: `api` answers, `collect` asks.

use crate::prometheus::chunk::{self, Encoding};
use crate::prometheus::{crc32c, samples_of};
use ingest::remote_out::QueuedSeries;
use ingest::remote_write::{LabelLimits, Limits};
use model::{
    Labels, MatchOperator, Matcher, ReadBudget, Sample, SeriesSamples, Source, SourceError,
    TimeRange, Timestamp,
};
use prost::Message;

/// Bytes of a request at most, unpacked.
pub const REQUEST_BYTES_MAX: usize = 32 << 20;
/// Queries of a request at most.
const QUERIES_MAX: usize = 1_000;
/// Bytes of a frame that we send, about: upstream's default.
const FRAME_BYTES: usize = 1 << 20;
/// Bytes before a frame's message.
const FRAME_HEAD_BYTES: usize = 14;

/// `Content-Type` of samples.
pub const SAMPLES_TYPE: &str = "application/x-protobuf";
/// `Content-Type` of frames.
pub const STREAMED_TYPE: &str =
    "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse";

#[derive(Clone, PartialEq, Message)]
struct WireRequest {
    #[prost(message, repeated, tag = "1")]
    queries: Vec<WireQuery>,
    #[prost(int32, repeated, tag = "2")]
    accepted: Vec<i32>,
}

#[derive(Clone, PartialEq, Message)]
struct WireQuery {
    #[prost(int64, tag = "1")]
    start_ms: i64,
    #[prost(int64, tag = "2")]
    end_ms: i64,
    #[prost(message, repeated, tag = "3")]
    matchers: Vec<WireMatcher>,
}

#[derive(Clone, PartialEq, Message)]
struct WireMatcher {
    #[prost(int32, tag = "1")]
    operator: i32,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(string, tag = "3")]
    value: String,
}

/// `prometheus.ReadResponse`; a `QueryResult` is laid out like a `WriteRequest`, so those read and write it.
#[derive(Clone, PartialEq, Message)]
struct WireResponse {
    #[prost(bytes = "vec", repeated, tag = "1")]
    results: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
struct WireFrame {
    #[prost(message, repeated, tag = "1")]
    series: Vec<WireSeries>,
    #[prost(int64, tag = "2")]
    query_index: i64,
}

#[derive(Clone, PartialEq, Message)]
struct WireSeries {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<WireLabel>,
    #[prost(message, repeated, tag = "2")]
    chunks: Vec<WireChunk>,
}

#[derive(Clone, PartialEq, Message)]
struct WireLabel {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
struct WireChunk {
    #[prost(int64, tag = "1")]
    first_ms: i64,
    #[prost(int64, tag = "2")]
    last_ms: i64,
    #[prost(int32, tag = "3")]
    encoding: i32,
    #[prost(bytes = "vec", tag = "4")]
    data: Vec<u8>,
}

/// Why something cannot be read or answered.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Bytes that nobody should have sent.
    #[error("{0}")]
    Wire(String),
    /// The store could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
}

fn wire(what: &str) -> impl Fn(&dyn std::fmt::Display) -> ReadError + '_ {
    move |error| ReadError::Wire(format!("{what}: {error}"))
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// Matchers that series fulfil.
    pub matchers: Vec<Matcher>,
    /// The times.
    pub range: TimeRange,
}

/// A request.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Its queries.
    pub queries: Vec<Query>,
    /// Whether frames of chunks are wanted before samples.
    pub wants_frames: bool,
}

/// Reads the packed body of a request.
pub fn decode_request(body: &[u8]) -> Result<Request, ReadError> {
    let bytes = unpack(body, REQUEST_BYTES_MAX)?;
    let request = WireRequest::decode(bytes.as_slice()).map_err(|e| wire("proto")(&e))?;
    if request.queries.len() > QUERIES_MAX {
        return Err(ReadError::Wire(format!("more than {QUERIES_MAX} queries")));
    }
    let queries = request.queries.iter().map(query);
    Ok(Request {
        queries: queries.collect::<Result<_, _>>()?,
        // The first form that is known is the one that is wanted.
        wants_frames: request.accepted.iter().find(|form| matches!(form, 0 | 1)) == Some(&1),
    })
}

fn query(sent: &WireQuery) -> Result<Query, ReadError> {
    let matcher = |sent: &WireMatcher| {
        let operator = match sent.operator {
            0 => MatchOperator::Equal,
            1 => MatchOperator::NotEqual,
            2 => MatchOperator::Regex,
            3 => MatchOperator::NotRegex,
            other => return Err(ReadError::Wire(format!("invalid matcher type {other}"))),
        };
        Matcher::new(sent.name.clone(), operator, sent.value.clone())
            .map_err(|e| wire("matcher")(&e))
    };
    Ok(Query {
        matchers: sent
            .matchers
            .iter()
            .map(matcher)
            .collect::<Result<_, _>>()?,
        range: TimeRange {
            start: Timestamp::from_millis(sent.start_ms),
            end: Timestamp::from_millis(sent.end_ms),
        },
    })
}

/// Makes the packed body of a request of one query that takes either form.
#[must_use]
pub fn encode_request(query: &Query) -> Vec<u8> {
    let matcher = |matcher: &Matcher| WireMatcher {
        operator: match matcher.operator() {
            MatchOperator::Equal => 0,
            MatchOperator::NotEqual => 1,
            MatchOperator::Regex => 2,
            MatchOperator::NotRegex => 3,
        },
        name: matcher.name().to_owned(),
        value: matcher.value().to_owned(),
    };
    let request = WireRequest {
        queries: vec![WireQuery {
            start_ms: query.range.start.millis(),
            end_ms: query.range.end.millis(),
            matchers: query.matchers.iter().map(matcher).collect(),
        }],
        accepted: vec![1, 0],
    };
    pack(&request.encode_to_vec())
}

fn pack(bytes: &[u8]) -> Vec<u8> {
    // Packing fails only beyond 4 GiB; answers are bounded below that.
    snap::raw::Encoder::new()
        .compress_vec(bytes)
        .unwrap_or_default()
}

fn unpack(body: &[u8], bytes_max: usize) -> Result<Vec<u8>, ReadError> {
    let length = snap::raw::decompress_len(body).map_err(|e| wire("snappy")(&e))?;
    if length > bytes_max {
        return Err(ReadError::Wire(format!(
            "{length} bytes are more than {bytes_max}"
        )));
    }
    snap::raw::Decoder::new()
        .decompress_vec(body)
        .map_err(|e| wire("snappy")(&e))
}

/// Answers for a source whose series have external labels that it does not store.
#[derive(Clone, Copy)]
pub struct Answerer<'a> {
    /// What is read.
    pub source: &'a dyn Source,
    /// Labels that every series gets which lacks them; matchers that ask for them are fulfilled.
    pub external: &'a Labels,
    /// What may be read.
    pub budget: &'a ReadBudget,
}

impl Answerer<'_> {
    fn matchers(&self, query: &Query) -> Vec<Matcher> {
        let is_external = |matcher: &&Matcher| {
            matcher.operator() == MatchOperator::Equal
                && self.external.get(matcher.name()) == Some(matcher.value())
        };
        let rest = query
            .matchers
            .iter()
            .filter(|matcher| !is_external(matcher));
        rest.cloned().collect()
    }

    /// Hands the series of a query to `take`, one after the other, until it answers false.
    fn each(
        &self,
        query: &Query,
        take: &mut dyn FnMut(Labels, Vec<Sample>) -> bool,
    ) -> Result<bool, SourceError> {
        let scan = self.source.scan(&self.matchers(query), query.range)?;
        for (index, labels) in scan.labels().iter().enumerate() {
            let columns = scan.read(index, self.budget)?;
            if columns.is_empty() {
                continue;
            }
            let labels = self.external.merged_with(labels);
            if !take(labels, samples_of(&columns)) {
                return Ok(false);
            }
            drop(columns);
        }
        Ok(true)
    }

    /// The packed body of an answer of samples. All of it is in memory, within the budget.
    pub fn samples(&self, request: &Request) -> Result<Vec<u8>, ReadError> {
        let mut response = WireResponse::default();
        for query in &request.queries {
            let mut rows = Vec::new();
            self.each(query, &mut |labels, samples| {
                rows.push(QueuedSeries {
                    labels: Some(labels),
                    samples,
                    exemplars: Vec::new(),
                });
                true
            })?;
            response
                .results
                .push(ingest::remote_out::encode_series(&rows));
        }
        Ok(pack(&response.encode_to_vec()))
    }

    /// Hands an answer to `send` frame by frame, until it answers false. One series is in memory at a time.
    pub fn frames(
        &self,
        request: &Request,
        send: &mut dyn FnMut(Vec<u8>) -> bool,
    ) -> Result<(), ReadError> {
        for (index, query) in request.queries.iter().enumerate() {
            let query_index = i64::try_from(index).unwrap_or(i64::MAX);
            let go_on = self.each(query, &mut |labels, samples| {
                let count = samples.len();
                let sent = series_frames(&labels, &samples, query_index, send);
                self.budget.give_back(count);
                sent
            })?;
            if !go_on {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// Sends the frames of one series: each has its labels and as many chunks as fit.
fn series_frames(
    labels: &Labels,
    samples: &[Sample],
    query_index: i64,
    send: &mut dyn FnMut(Vec<u8>) -> bool,
) -> bool {
    let label = |(name, value): (&str, &str)| WireLabel {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    let labels: Vec<WireLabel> = labels.iter().map(label).collect();
    let mut chunks = Vec::new();
    let mut bytes = 0;
    let mut packed = chunk::encode(samples).into_iter().peekable();
    while let Some(chunk) = packed.next() {
        bytes += chunk.data.len() + 24;
        chunks.push(WireChunk {
            first_ms: chunk.first,
            last_ms: chunk.last,
            encoding: i32::from(chunk.encoding.number()),
            data: chunk.data,
        });
        if bytes < FRAME_BYTES && packed.peek().is_some() {
            continue;
        }
        bytes = 0;
        let message = WireFrame {
            series: vec![WireSeries {
                labels: labels.clone(),
                chunks: std::mem::take(&mut chunks),
            }],
            query_index,
        };
        if !send(frame(&message.encode_to_vec())) {
            return false;
        }
    }
    true
}

fn frame(message: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(message.len() + FRAME_HEAD_BYTES);
    storage::encoding::put_varint(&mut bytes, message.len() as u64);
    bytes.extend_from_slice(&crc32c(message).to_be_bytes());
    bytes.extend_from_slice(message);
    bytes
}

/// Reads the packed body of an answer of samples to one query.
pub fn decode_samples(body: &[u8], bytes_max: usize) -> Result<Vec<SeriesSamples>, ReadError> {
    let bytes = unpack(body, bytes_max)?;
    let response = WireResponse::decode(bytes.as_slice()).map_err(|e| wire("proto")(&e))?;
    let limits = Limits {
        decoded_bytes_max: bytes_max,
        samples_max: usize::MAX,
        series_max: usize::MAX,
        labels: LabelLimits {
            count_max: usize::MAX,
            ..LabelLimits::default()
        },
        ..Limits::default()
    };
    let mut all = Vec::new();
    for result in response.results {
        let rows = ingest::remote_write::decode_series(result, &limits)
            .map_err(|e| wire("a result")(&e))?;
        all.extend(rows);
    }
    Ok(all)
}

/// Reads an answer of frames as it arrives.
#[derive(Debug)]
pub struct FrameReader {
    held: Vec<u8>,
    frame_bytes_max: usize,
    range: TimeRange,
    /// What has been read; the samples of a series may come in several frames.
    pub series: Vec<SeriesSamples>,
}

impl FrameReader {
    /// Begins. `frame_bytes_max`: bytes of a frame at most; samples outside of `range` are left out.
    #[must_use]
    pub const fn new(frame_bytes_max: usize, range: TimeRange) -> Self {
        Self {
            held: Vec::new(),
            frame_bytes_max,
            range,
            series: Vec::new(),
        }
    }

    /// Takes bytes; answers how many samples they completed.
    pub fn push(&mut self, bytes: &[u8]) -> Result<usize, ReadError> {
        self.held.extend_from_slice(bytes);
        let mut samples = 0;
        loop {
            let mut decoder = storage::encoding::Decoder::new(&self.held);
            let Some(length) = decoder.count() else {
                if self.held.len() > FRAME_HEAD_BYTES {
                    return Err(ReadError::Wire("a frame has no length".to_owned()));
                }
                return Ok(samples);
            };
            if length > self.frame_bytes_max {
                let max = self.frame_bytes_max;
                return Err(ReadError::Wire(format!(
                    "a frame of {length} bytes is larger than {max}"
                )));
            }
            let (Some(checksum), Some(message)) = (decoder.take(4), decoder.take(length)) else {
                return Ok(samples);
            };
            if crc32c(message).to_be_bytes() != checksum {
                return Err(ReadError::Wire("checksum mismatch in a frame".to_owned()));
            }
            samples += read_frame(message, self.range, &mut self.series)?;
            let rest = decoder.rest().len();
            self.held.drain(..self.held.len() - rest);
        }
    }

    /// Fails where the answer broke off within a frame.
    pub fn finish(self) -> Result<Vec<SeriesSamples>, ReadError> {
        if self.held.is_empty() {
            return Ok(self.series);
        }
        Err(ReadError::Wire(
            "the answer breaks off within a frame".to_owned(),
        ))
    }
}

fn read_frame(
    message: &[u8],
    range: TimeRange,
    to: &mut Vec<SeriesSamples>,
) -> Result<usize, ReadError> {
    let frame = WireFrame::decode(message).map_err(|e| wire("proto")(&e))?;
    let mut count = 0;
    for series in frame.series {
        let pairs = series
            .labels
            .iter()
            .map(|label| (&label.name, &label.value));
        let labels = Labels::from_pairs(pairs);
        let mut samples = Vec::new();
        for one in &series.chunks {
            let encoding = u8::try_from(one.encoding)
                .ok()
                .and_then(Encoding::from_number);
            let encoding = encoding.ok_or_else(|| {
                ReadError::Wire(format!("unknown chunk encoding {}", one.encoding))
            })?;
            chunk::decode(encoding, &one.data, &mut samples).map_err(ReadError::Wire)?;
        }
        samples.retain(|sample| range.contains(sample.timestamp));
        count += samples.len();
        match to.last_mut() {
            Some(last) if last.labels == labels => last.samples.extend(samples),
            _ => to.push(SeriesSamples {
                labels,
                samples,
                exemplars: Vec::new(),
            }),
        }
    }
    Ok(count)
}

#[cfg(test)]
mod tests;
