//! The codes that the toolkit knows are those of the documentation.

use std::fs;
use std::path::Path;

use rejoin::client::Code;

#[test]
fn every_code_of_a_fault_is_known() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/wire.md")).unwrap();
    let codes = page.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        cells.next().filter(|status| status.parse::<u16>().is_ok())?;
        cells.next()?.strip_prefix('`')?.strip_suffix('`')
    });
    let codes: Vec<&str> = codes.collect();
    assert!(codes.len() > 40, "{codes:?}");
    for code in codes {
        assert!(!matches!(Code::from(code), Code::Other(_)), "{code} has no variant");
        assert_eq!(Code::from(code).as_str(), code);
    }
}
