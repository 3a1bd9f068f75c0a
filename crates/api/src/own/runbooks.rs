//! `/runbooks/NAME`: what a rule pack's alerts mean and what to do about them.
//!
//! The annotation `runbook_url` of a pack's alert leads here, to the section of the alert: whoever has the watch reads it
//! where the alert came from, without any other site. Sections are found by the names that GitHub gives them as well.

use crate::answer::{self, Failure};
use crate::page::guarded;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};
use rules::packs::{PACKS, find};
use std::fmt::Write as _;

/// Readable on any screen, dark where the reader's system is.
const STYLE: &str = ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;\
margin:0 auto;padding:1rem}code{font-size:.9em;overflow-wrap:anywhere}pre{overflow-x:auto;padding:.75rem;border:1px solid \
#8886;border-radius:6px}table{border-collapse:collapse;display:block;overflow-x:auto}td,th{border:1px solid #8886;\
padding:.3rem .6rem;text-align:left;vertical-align:top}h2{margin-top:2.2rem;border-top:1px solid #8886;padding-top:1rem}\
:target{background:#fd03}";

/// Lists the runbooks.
pub(crate) async fn list() -> Response {
    let mut body = "<h1>Runbooks</h1><ul>".to_owned();
    for pack in PACKS {
        // Writing to a String cannot fail.
        let _infallible = write!(
            body,
            "<li><a href=\"runbooks/{0}\">{0}</a>: {1}</li>",
            pack.name, pack.watches
        );
    }
    body.push_str("</ul>");
    page("Runbooks", &body)
}

/// Shows the runbook of a pack.
pub(crate) async fn show(Path(name): Path<String>) -> Response {
    match find(&name) {
        Some(pack) => page(pack.name, &rendered(pack.runbook)),
        None => {
            let known: Vec<&str> = PACKS.iter().map(|pack| pack.name).collect();
            let message = format!(
                "there is no runbook {name:?}; there are {}",
                known.join(", ")
            );
            Failure::not_found(message).into_response()
        }
    }
}

fn page(title: &str, body: &str) -> Response {
    let text = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title} · Binnacle</title>\
         <style>{STYLE}</style></head><body>{body}</body></html>"
    );
    guarded(answer::text("text/html; charset=utf-8", text))
}

/// Markdown as HTML; headings of the second level get names, links to other packs lead to their runbooks.
fn rendered(markdown: &str) -> String {
    let parser = Parser::new_ext(markdown, Options::ENABLE_TABLES);
    let mut events: Vec<Event<'_>> = parser.map(link_among_runbooks).collect();
    let mut heading = None;
    let mut named = Vec::new();
    for (index, event) in events.iter().enumerate() {
        match event {
            Event::Start(Tag::Heading {
                level: HeadingLevel::H2,
                ..
            }) => heading = Some((index, String::new())),
            Event::End(TagEnd::Heading(_)) => named.extend(heading.take()),
            Event::Text(text) | Event::Code(text) => {
                if let Some((_, name)) = &mut heading {
                    name.push_str(text);
                }
            }
            _ => {}
        }
    }
    for (index, name) in named {
        if let Some(Event::Start(Tag::Heading { id, .. })) = events.get_mut(index) {
            *id = Some(CowStr::from(name.to_lowercase().replace(' ', "-")));
        }
    }
    let mut out = String::new();
    html::push_html(&mut out, events.into_iter());
    out
}

/// In the repository a pack's page is `../NAME/README.md` to the next; here it is `NAME`.
fn link_among_runbooks(mut event: Event<'_>) -> Event<'_> {
    if let Event::Start(Tag::Link { dest_url, .. }) = &mut event {
        let name = dest_url.strip_prefix("../");
        let name = name.and_then(|rest| rest.strip_suffix("/README.md"));
        if let Some(name) = name.map(str::to_owned) {
            *dest_url = CowStr::from(name);
        }
    }
    event
}

#[cfg(test)]
mod tests {
    use super::rendered;
    use rules::packs::PACKS;

    #[test]
    fn links_lead_to_runbooks() {
        assert_eq!(
            rendered("[a](../http/README.md), [b](https://x.example/README.md)"),
            "<p><a href=\"http\">a</a>, <a href=\"https://x.example/README.md\">b</a></p>\n"
        );
    }

    #[test]
    fn headings_have_names() {
        let html = rendered(
            "# Pack\n\n## HostDown\n\na `b<c`\n\n| x |\n|---|\n| y |\n\n## What it needs\n",
        );
        assert_eq!(
            html,
            "<h1>Pack</h1>\n<h2 id=\"hostdown\">HostDown</h2>\n<p>a <code>b&lt;c</code></p>\n<table><thead><tr><th>x</th></tr></thead>\
             <tbody>\n<tr><td>y</td></tr>\n</tbody></table>\n<h2 id=\"what-it-needs\">What it needs</h2>\n"
        );
        for pack in PACKS {
            assert!(
                rendered(pack.runbook).starts_with("<h1>Pack <code>"),
                "{}",
                pack.name
            );
        }
    }
}
