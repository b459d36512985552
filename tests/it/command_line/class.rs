//! `kmslab class DIR`: a table of results that learners have exported.

use std::fs;

use super::*;

fn result(name: &str, met: bool) -> String {
    let stage = format!(r#"{{"stage":"who","met":{met},"answer":"right","hints":0}}"#);
    format!(r#"{{"schema":1,"name":"{name}","seconds":61,"stages":[{stage}],"drills":[]}}"#)
}

#[test]
fn a_class_is_a_table_and_broken_files_are_named() {
    let tmp = tempfile::tempdir().unwrap();
    let folder = tmp.path().join("results");
    fs::create_dir(&folder).unwrap();
    let class = |more: &[&str]| output(tmp.path(), &[&["class", folder.to_str().unwrap()], more].concat());
    assert_eq!(class(&[]).status.code(), Some(2), "a folder without results");
    fs::write(folder.join("a.json"), result("Ada", true)).unwrap();
    fs::write(folder.join("b.json"), result("=Ben", false)).unwrap();
    fs::write(folder.join("c.json"), "no result").unwrap();
    fs::write(folder.join("notes.txt"), "not looked at").unwrap();

    let table = class(&[]);
    assert_eq!(table.status.code(), Some(0), "{}", text(&table.stderr));
    let (shown, said) = (text(&table.stdout), text(&table.stderr));
    assert!(shown.find("=Ben").unwrap() < shown.find("Ada").unwrap(), "who needs help comes first:\n{shown}");
    assert!(said.contains("c.json is skipped") && !said.contains("notes.txt"), "{said}");

    let file = tmp.path().join("class.csv");
    assert_eq!(class(&["--csv", file.to_str().unwrap()]).status.code(), Some(0));
    let csv = fs::read_to_string(&file).unwrap();
    assert_eq!(csv.lines().nth(1), Some(r#""'=Ben",0,9,1,1,1,0,0,0,61,true"#), "{csv}");
    assert_eq!(text(&class(&["--csv", "-"]).stdout), csv);
    let again = class(&["--csv", file.to_str().unwrap()]);
    assert_eq!((again.status.code(), fs::read_to_string(&file).unwrap()), (Some(2), csv), "{}", text(&again.stderr));
}
