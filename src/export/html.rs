//! A write-up as one HTML file: no script, no other file, readable in light and dark. It is well-formed XML, too.

use super::Block;
use crate::record::escape;

/// The colors: name, in light mode, in dark mode.
const COLORS: [(&str, &str, &str); 5] = [
    ("text", "#1a1a1a", "#f0f0f0"),
    ("ground", "#ffffff", "#121212"),
    ("quiet", "#444444", "#c8c8c8"),
    ("code", "#f3f3f3", "#1e1e1e"),
    ("link", "#0a3a82", "#a9ccff"),
];

const STYLE: &str = "\
body { background: var(--ground); color: var(--text); font: 1rem/1.55 system-ui, sans-serif;
  max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
a { color: var(--link); }
h2 { border-top: 2px solid var(--quiet); margin-top: 2.5rem; padding-top: 1rem; }
table { border-collapse: collapse; margin: 1rem 0; width: 100%; }
caption { color: var(--quiet); text-align: left; }
th, td { border: 1px solid var(--quiet); overflow-wrap: anywhere; padding: .3rem .6rem; text-align: left;
  vertical-align: top; }
pre { background: var(--code); overflow-wrap: anywhere; padding: .7rem; white-space: pre-wrap; }
.label { color: var(--quiet); margin-bottom: 0; }
";

/// The file's text, in the language `lang`.
pub fn render(blocks: &[Block], lang: &str) -> String {
    let title = blocks.iter().find_map(|block| match block {
        Block::Heading(_, text) => Some(escape(text)),
        _ => None,
    });
    let variables = |dark: bool| -> String {
        COLORS.iter().map(|(name, light, night)| format!("--{name}: {}; ", if dark { night } else { light })).collect()
    };
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta name=\"color-scheme\" content=\"light dark\"/>\n<title>{}</title>\n<style>\n\
         :root {{ {}}}\n@media (prefers-color-scheme: dark) {{ :root {{ {}}} }}\n{STYLE}</style>\n</head>\n\
         <body>\n<main>\n",
        escape(lang),
        title.unwrap_or_default(),
        variables(false),
        variables(true),
    );
    blocks.iter().for_each(|block| out.push_str(&element(block)));
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn element(block: &Block) -> String {
    match block {
        Block::Heading(level, text) => format!("<h{level}>{}</h{level}>\n", escape(text)),
        Block::Text { label, text } if label.is_empty() => format!("<p>{}</p>\n", escape(text)),
        Block::Text { label, text } => format!("<p><strong>{}</strong> {}</p>\n", escape(label), escape(text)),
        Block::Code { label, text } => {
            let label = match label.is_empty() {
                true => String::new(),
                false => format!("<p class=\"label\">{}</p>\n", escape(label)),
            };
            format!("{label}<pre><code>{}</code></pre>\n", escape(text))
        }
        Block::Table { caption, head, rows } => {
            let heads: String = head.iter().map(|cell| format!("<th scope=\"col\">{}</th>", escape(cell))).collect();
            let row = |cells: &Vec<String>| -> String {
                let cells = cells.iter().enumerate().map(|(at, cell)| match at {
                    0 => format!("<th scope=\"row\">{}</th>", escape(cell)),
                    _ => format!("<td>{}</td>", escape(cell)),
                });
                format!("<tr>{}</tr>\n", cells.collect::<String>())
            };
            format!(
                "<table>\n<caption>{}</caption>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{}</tbody>\n</table>\n",
                escape(caption),
                rows.iter().map(row).collect::<String>()
            )
        }
        Block::Links { label, links } => {
            let item = |(title, url): &(String, String)| {
                format!("<li><a href=\"{}\">{}</a></li>\n", escape(url), escape(title))
            };
            format!(
                "<p class=\"label\">{}</p>\n<ul>\n{}</ul>\n",
                escape(label),
                links.iter().map(item).collect::<String>()
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance and contrast as WCAG 2.2 defines them.
    fn contrast(one: &str, other: &str) -> f64 {
        let luminance = |color: &str| {
            let channel = |at: usize| {
                let value = f64::from(u8::from_str_radix(&color[at..at + 2], 16).unwrap()) / 255.0;
                if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
        };
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn every_text_stands_out_from_every_ground_in_light_and_dark() {
        let of = |name: &str| COLORS.iter().find(|(known, ..)| *known == name).unwrap();
        for text in ["text", "quiet", "link"].map(of) {
            for ground in ["ground", "code"].map(of) {
                let found = [contrast(text.1, ground.1), contrast(text.2, ground.2)];
                assert!(found.iter().all(|ratio| *ratio >= 7.0), "{} on {}: {found:?}", text.0, ground.0);
            }
        }
    }

    #[test]
    fn everything_is_escaped() {
        let blocks = [
            Block::Heading(1, "<h>".into()),
            Block::Text { label: "\"l\"".into(), text: "a & <script>alert(1)</script>".into() },
            Block::Code { label: "<c>".into(), text: "</code>".into() },
            Block::Table { caption: "<>".into(), head: vec!["<".into()], rows: vec![vec!["'".into()]] },
            Block::Links { label: "&".into(), links: vec![("<t>".into(), "https://x/?a=\"b\"&c".into())] },
        ];
        let html = render(&blocks, "en");
        let body = html.strip_prefix("<!DOCTYPE html>\n").unwrap();
        let document = roxmltree::Document::parse(body).unwrap();
        assert!(!document.descendants().any(|node| node.has_tag_name("script")));
        let link = document.descendants().find(|node| node.has_tag_name("a")).unwrap();
        assert_eq!((link.attribute("href"), link.text()), (Some("https://x/?a=\"b\"&c"), Some("<t>")));
        assert_eq!(document.descendants().find(|node| node.has_tag_name("title")).unwrap().text(), Some("<h>"));
    }
}
