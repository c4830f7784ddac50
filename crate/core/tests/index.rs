//! Pages of package indexes: what real ones say, and what hostile ones try.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use taipan_core::index::{ACCEPT, CoreMetadata, IndexError, MAX_BYTES, ProjectPage, candidates};
use taipan_core::name::PackageName;
use taipan_core::tag::SupportedTags;

const JSON: &str = "application/vnd.pypi.simple.v1+json";
const HASH: &str = "a6e4c4c6b2a4e0f5d5c3b2a19080706050403020100ffeeddccbbaa998877665";

fn project() -> PackageName {
    "msg-pack".parse().unwrap()
}

fn parse(content_type: &str, text: &str) -> Result<ProjectPage, IndexError> {
    ProjectPage::parse(&project(), content_type, text.as_bytes())
}

fn json(files: &str) -> String {
    format!(
        r#"{{"meta":{{"api-version":"1.4","_last-serial":1}},"name":"Msg_Pack","versions":["1.0"],"files":[{files}]}}"#
    )
}

fn json_page(files: &str) -> ProjectPage {
    parse(JSON, &json(files)).unwrap()
}

#[test]
fn what_is_asked_for_needs_no_question_beforehand() {
    // The Fetch standard, "CORS-safelisted request-header".
    assert!(ACCEPT.len() <= 128);
    assert!(!ACCEPT.bytes().any(|byte| byte < 0x20 || b"\"():<>?@[\\]{}\x7f".contains(&byte)));
}

#[test]
fn json_says_all_of_a_file() {
    let page = json_page(&format!(
        r#"{{"filename":"msg_pack-1.0-py3-none-any.whl","url":"../files/msg_pack-1.0-py3-none-any.whl","hashes":{{"sha256":"{}","md5":"x"}},
        "requires-python":">=3.9","yanked":"broken","core-metadata":{{"sha256":"{HASH}"}},"dist-info-metadata":false,
        "size":53714,"upload-time":"2025-10-08T09:15:36.4Z","provenance":null,"something-new":[1]}}"#,
        HASH.to_uppercase()
    ));
    let [file] = &page.files[..] else { panic!("one file") };
    assert_eq!(file.filename, "msg_pack-1.0-py3-none-any.whl");
    assert_eq!(file.url, "../files/msg_pack-1.0-py3-none-any.whl");
    assert_eq!(file.sha256.as_deref(), Some(HASH));
    assert_eq!(file.requires_python.as_deref(), Some(">=3.9"));
    assert_eq!(file.yanked.as_deref(), Some("broken"));
    assert_eq!(file.metadata, CoreMetadata::Offered { sha256: Some(HASH.to_owned()) });
    assert_eq!((file.size, file.upload_time.as_deref()), (Some(53_714), Some("2025-10-08T09:15:36.4Z")));
}

#[test]
fn json_of_older_versions_says_less() {
    let page = json_page(
        r#"{"filename":"a.whl","url":"a.whl#x","hashes":{}},
           {"filename":"b.whl","url":"b.whl","hashes":{},"yanked":false,"dist-info-metadata":true,"requires-python":null},
           {"filename":"c.whl","url":"c.whl","hashes":{},"yanked":true,"core-metadata":false,"dist-info-metadata":true}"#,
    );
    let [plain, with, without] = &page.files[..] else { panic!("three files") };
    assert_eq!((plain.url.as_str(), &plain.yanked, &plain.metadata), ("a.whl", &None, &CoreMetadata::Absent));
    assert_eq!((&with.yanked, &with.metadata), (&None, &CoreMetadata::Offered { sha256: None }));
    // PEP 714: the newer name counts.
    assert_eq!((without.yanked.as_deref(), &without.metadata), (Some(""), &CoreMetadata::Absent));
}

#[test]
fn one_bad_file_hides_no_other() {
    let page = json_page(
        r#"17, {"filename":"x"}, {"filename":"bad.whl","url":"bad.whl","hashes":{"sha256":"12"}},
           {"filename":"good.whl","url":"good.whl","hashes":{}}"#,
    );
    assert_eq!(page.files.iter().map(|file| file.filename.as_str()).collect::<Vec<_>>(), ["good.whl"]);
}

#[test]
fn what_is_not_the_json_of_the_project_is_refused() {
    for text in ["", "[]", "{}", "null", r#"{"meta":{"api-version":"1.0"},"name":"msg-pack"}"#, "<html>", "{\"meta\":"]
    {
        assert!(matches!(parse(JSON, text), Err(IndexError::Json { .. })), "{text}");
    }
    let other = json("").replace("Msg_Pack", "evil");
    assert_eq!(parse(JSON, &other), Err(IndexError::OtherProject { found: "evil".to_owned() }));
    let newer = json("").replace("1.4", "2.0");
    assert_eq!(parse(JSON, &newer), Err(IndexError::Version { version: "2.0".to_owned() }));
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(matches!(parse(JSON, &deep), Err(IndexError::Json { .. })));
}

#[test]
fn html_as_the_python_package_index_writes_it() {
    let text = format!(
        r#"<!DOCTYPE html>
<html>
  <head>
    <meta name="pypi:repository-version" content="1.4">
    <title>Links for msg-pack</title>
  </head>
  <body>
    <h1>Links for msg-pack</h1>
<a href="https://files.example.org/a/msg_pack-1.0%2Blocal-py3-none-any.whl#sha256={HASH}" data-requires-python="&gt;=3.9,&lt;4" data-dist-info-metadata="sha256={HASH}" data-core-metadata="sha256={HASH}">msg_pack-1.0+local-py3-none-any.whl</a><br />
<a href='../../msg-pack-0.9.tar.gz' data-yanked>msg-pack-0.9.tar.gz</a><br />
<A DATA-YANKED="a &quot;bad&quot; release" HREF=msg_pack-0.8-py3-none-any.whl?x=1>msg_pack</A>
<a href="/help">Help</a>
    </body></html><!--SERIAL 29487323-->"#
    );
    let page = parse("text/html; charset=UTF-8", &text).unwrap();
    let [first, second, third] = &page.files[..] else { panic!("three files: {page:?}") };
    assert_eq!(first.filename, "msg_pack-1.0+local-py3-none-any.whl");
    assert_eq!(first.url, "https://files.example.org/a/msg_pack-1.0%2Blocal-py3-none-any.whl");
    assert_eq!(first.sha256.as_deref(), Some(HASH));
    assert_eq!(first.requires_python.as_deref(), Some(">=3.9,<4"));
    assert_eq!(first.metadata, CoreMetadata::Offered { sha256: Some(HASH.to_owned()) });
    assert_eq!((second.filename.as_str(), second.yanked.as_deref()), ("msg-pack-0.9.tar.gz", Some("")));
    assert_eq!(second.url, "../../msg-pack-0.9.tar.gz");
    assert_eq!(third.yanked.as_deref(), Some("a \"bad\" release"));
    assert_eq!(third.filename, "msg_pack-0.8-py3-none-any.whl");
}

#[test]
fn html_of_plain_file_servers_does() {
    let text = r#"<html><base href="https://cdn.example.org/w/"><a href="../">..</a> <a href="msg_pack-1.0-py3-none-any.whl">x</a>"#;
    let page = parse("text/html", text).unwrap();
    assert_eq!(page.base.as_deref(), Some("https://cdn.example.org/w/"));
    assert_eq!(page.files.len(), 1);
}

#[test]
fn links_in_comments_scripts_and_styles_are_none() {
    let link = r#"<a href="msg_pack-1.0-py3-none-any.whl">x</a>"#;
    for text in [
        format!("<!-- {link} -->"),
        format!("<script>var x = '{link}';</script>"),
        format!("<STYLE>{link}</style >"),
        format!("<script>{link}"),
        format!("<!-- {link}"),
        format!("<p title='{}'>", link.replace('\'', "")),
    ] {
        assert_eq!(parse("text/html", &text), Err(IndexError::NotAnIndex), "{text}");
    }
}

#[test]
fn web_pages_that_are_no_index_are_refused() {
    for text in ["", "<!doctype html><title>App</title><div id=root></div><script src=/app.js></script>", "<<<<", "<a"]
    {
        assert_eq!(parse("text/html", text), Err(IndexError::NotAnIndex), "{text}");
    }
    // An index may know a project that has no files.
    let empty = r#"<meta name="pypi:repository-version" content="1.0">"#;
    assert_eq!(parse("application/vnd.pypi.simple.v1+html", empty), Ok(ProjectPage::default()));
    let newer = empty.replace("1.0", "2.0");
    assert!(matches!(parse("text/html", &newer), Err(IndexError::Version { .. })));
}

#[test]
fn other_types_are_refused_and_missing_ones_guessed() {
    assert!(matches!(parse("image/png", "x"), Err(IndexError::ContentType { .. })));
    assert_eq!(parse("", &json("")).unwrap(), ProjectPage::default());
    assert_eq!(parse("text/plain", r#"<a href="a-1-py3-none-any.whl">"#).unwrap().files.len(), 1);
    assert_eq!(ProjectPage::parse(&project(), JSON, b"\xff\xfe"), Err(IndexError::NotText));
}

#[test]
fn huge_pages_are_refused_before_they_are_read() {
    let bytes = vec![b' '; MAX_BYTES + 1];
    let error = ProjectPage::parse(&project(), JSON, &bytes).unwrap_err();
    assert!(matches!(error, IndexError::TooMuch { what: "bytes", .. }));
    let many = "<a href=a-1-py3-none-any.whl>".repeat(200_001);
    assert!(matches!(parse("text/html", &many), Err(IndexError::TooMuch { what: "files", .. })));
}

#[test]
fn files_become_candidates() {
    let names = [
        "msg_pack-1.0-cp314-cp314-pyemscripten_2026_0_wasm32.whl",
        "msg_pack-1.0-py3-none-any.whl",
        "msg_pack-1.0.tar.gz",
        "Msg.Pack-0.9.tar.gz",
        "msg_pack-1.1-cp314-cp314-manylinux_2_17_x86_64.whl",
        "msg_pack-1.2-1-py3-none-any.whl",
        "msg_pack-1.2-10-py3-none-any.whl",
        "other-1.0-py3-none-any.whl",
        "msg_pack-nonsense-py3-none-any.whl",
        "msg-pack-extras-3.0.tar.gz",
        "msg_pack-1.0-py3-none-any.whl",
        "README.txt",
    ];
    let files: Vec<String> = names
        .iter()
        .map(|name| format!(r#"{{"filename":"{name}","url":"{name}","hashes":{{}},"requires-python":">=3.9"}}"#))
        .collect();
    let tags = SupportedTags::cpython((3, 14), &["pyemscripten_2026_0_wasm32"]);
    let found = candidates(json_page(&files.join(",")), &project(), &tags);
    let list: Vec<(&str, bool)> =
        found.iter().map(|indexed| (indexed.candidate.file.as_str(), indexed.candidate.rank.is_some())).collect();
    assert_eq!(
        list,
        [
            (names[6], true),
            (names[5], true),
            (names[0], true),
            (names[1], true),
            (names[4], false),
            (names[2], false),
            (names[3], false),
        ]
    );
    assert_eq!(found[2].candidate.rank, Some(0));
    assert_eq!(found[0].candidate.requires_python, Some(">=3.9".parse().unwrap()));
}

#[test]
fn character_references_are_looked_for_near_by() {
    let read = |text: &str| {
        let page = format!("<a href=a-1-py3-none-any.whl data-yanked=\"{text}\">");
        parse("text/html", &page).unwrap().files[0].yanked.clone().unwrap()
    };
    assert_eq!(read("&#00000065;&#0000000065;"), "A&#0000000065;");
    // The eleventh byte is in the middle of a character.
    assert_eq!(read("&1234567890é;&amp;é;"), "&1234567890é;&é;");
    // It would take hours to look at all that follows each.
    let many = "&".repeat(8 << 20);
    assert_eq!(read(&many), many);
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(kind in 0..4_usize, text in any::<String>()) {
        let _ = parse(["text/html", JSON, "", "text/plain"][kind], &text);
    }

    #[test]
    fn arbitrary_markup_never_panics(text in "[<>a!/'\"= &;#x1-]{0,200}") {
        let _ = parse("text/html", &text);
    }

    /// Whatever a link's attributes are, reading what was written gives it back.
    #[test]
    fn attributes_survive_writing(path in "[a-z%/é]{0,12}", yanked in "[^\r]{0,30}", python in "[<>=!~0-9., ]{1,20}") {
        prop_assume!(!path.contains('%') && !python.trim().is_empty());
        let escape = |text: &str| text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;");
        let text = format!(
            "<p><a class=x href=\"{path}/a-1-py3-none-any.whl#sha256={HASH}\" data-yanked=\"{}\" data-requires-python=\"{}\">",
            escape(&yanked), escape(&python)
        );
        let page = parse("text/html", &text).unwrap();
        prop_assert_eq!(&page.files[0].url, &format!("{path}/a-1-py3-none-any.whl"));
        prop_assert_eq!(page.files[0].yanked.as_ref(), Some(&yanked));
        prop_assert_eq!(page.files[0].requires_python.as_ref(), Some(&python));
    }
}
