//! The sample of each profile, read as the command line reads it.

use drawdown_wire::source::Context;

use super::{profile, read};

fn check(specification: &str, sample: &[u8], org: Option<&str>, expected: &str) {
    let profile = profile(specification);
    let found = read(&profile, sample, &Context { org, ..Context::default() });
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(found, expected, "{specification}\n{}", found.join("\n"));
}

macro_rules! sample {
    ($name:literal) => {
        include_bytes!(concat!("../../../../config/samples/", $name))
    };
}

#[test]
fn native() {
    check(
        "native",
        sample!("native.jsonl"),
        None,
        "
        fabrikam native/…000001 user_out +442071838750 2026-02-02T08:00:00.2589935Z 219 s
        contoso native/…000002 conf_out +12065550142 2026-02-02T08:17:01.2589935Z 60 s
        contoso native/…000003 user_out_transfer +4930901820 2026-02-02T08:34:02.2589935Z 1 s
        fabrikam native/…000004 user_out +33142685300 2026-02-02T08:51:03.2589935Z 0 s
        contoso native/…000005 ucap_out +61290001234 2026-02-02T09:08:04.2589935Z 3605 s
        contoso native/…000006 user_in - 2026-02-02T09:25:05.2589935Z 61 s
        fabrikam native/…000007 user_out +442071838750 2026-02-02T09:42:06.2589935Z 12 s
        contoso native/…000008 conf_in +18005550199 2026-02-02T09:59:07.2589935Z 599 s
        contoso native/…000009 dr_out - 2026-02-02T10:16:08.2589935Z 75 s
        fabrikam native/…000010 user_out_conf +33142685300 2026-02-02T10:33:09.2589935Z 30 s
        contoso native/…000011 user_out +61290001234 2026-02-02T10:50:10.2589935Z 241 s
        contoso native/…000012 user_out_forwarding +8613912345678 2026-02-02T11:07:11.2589935Z 18 s
        fabrikam native/…000101 user_out emergency 2026-02-02T08:00:00.2589935Z 42 s
        fabrikam native/…000102 user_out +4912345* 2026-02-02T08:00:00.2589935Z 219 s masked
        ",
    );
}

#[test]
fn graph() {
    check(
        "graph",
        sample!("graph.json"),
        Some("contoso"),
        "
        contoso graph/…acee90 user_in - 2019-11-01T00:00:08.2589935Z 219 s
        contoso graph/…000001 user_out +442071838750 2026-02-02T08:00:00.2589935Z 219 s
        contoso graph/…000002 conf_out +12065550142 2026-02-02T08:17:01.2589935Z 60 s
        contoso graph/…000003 user_out_transfer +4930901820 2026-02-02T08:34:02.2589935Z 1 s
        contoso graph/…000004 user_out +33142685300 2026-02-02T08:51:03.2589935Z 0 s
        contoso graph/…000005 ucap_out +61290001234 2026-02-02T09:08:04.2589935Z 3605 s
        ",
    );
}

#[test]
fn teams_export() {
    check(
        "teams-export",
        sample!("teams-export.csv"),
        Some("contoso"),
        "
        contoso teams-export/…000001 user_out +442071838750 2026-02-02T08:00:00Z 219 s
        contoso teams-export/…000002 conf_out +12065550142 2026-02-02T08:17:01Z 60 s
        contoso teams-export/…000003 user_out_transfer +4930901820 2026-02-02T08:34:02Z 1 s
        contoso teams-export/…000004 user_out +33142685300 2026-02-02T08:51:03Z 0 s
        contoso teams-export/…000005 ucap_out +61290001234 2026-02-02T09:08:04Z 3605 s
        contoso teams-export/…000006 user_in - 2026-02-02T09:25:05Z 61 s
        contoso teams-export/…000007 user_out +442071838750 2026-02-02T09:42:06Z 12 s
        contoso teams-export/…000008 conf_in +18005550199 2026-02-02T09:59:07Z 599 s
        contoso teams-export/…000009 dr_out - 2026-02-02T10:16:08Z 75 s
        ",
    );
}

#[test]
fn excel_teams() {
    check(
        "excel-teams",
        sample!("excel-teams.csv"),
        Some("contoso"),
        "
        contoso excel-teams/…000001 user_out +442071838750 2026-02-02T08:00:00Z 219 s
        contoso excel-teams/…000002 conf_out +12065550142 2026-02-02T08:17:01Z 60 s
        contoso excel-teams/…000003 user_out_transfer +4930901820 2026-02-02T08:34:02Z 1 s
        contoso excel-teams/…000004 user_out +33142685300 2026-02-02T08:51:03Z 0 s
        contoso excel-teams/…000005 ucap_out +61290001234 2026-02-02T09:08:04Z 3605 s
        contoso excel-teams/…000006 user_in - 2026-02-02T09:25:05Z 61 s
        ",
    );
}

#[test]
fn freeswitch_json() {
    check(
        "freeswitch-json,region=DE",
        sample!("freeswitch-json.jsonl"),
        None,
        "
        1000 freeswitch-json/…000001 user_out +442071838750 2026-02-02T08:00:06Z 187 s
        1000 freeswitch-json/…000002 user_out +49309018200 2026-02-02T08:10:06Z 61 s
        1000 freeswitch-json/…000003 user_out internal 2026-02-02T08:20:06Z 25 s
        1000 freeswitch-json/…000004 user_out internal 2026-02-02T08:30:06Z 8 s
        1001 freeswitch-json/…000005 user_out +49142685300 2026-02-02T08:40:06Z 1 s
        1001 freeswitch-json/…000006 user_out +33142685300 2026-02-02T08:50:00Z 0 s
        1000 freeswitch-json/…000007 user_in - 2026-02-02T09:00:06Z 312 s
        1001 freeswitch-json/…000008 user_out emergency 2026-02-02T09:10:06Z 95 s
        ",
    );
}

#[test]
fn freeswitch_csv() {
    check(
        "freeswitch-csv,zone=Europe/Berlin,region=DE",
        sample!("freeswitch-csv.csv"),
        None,
        "
        1000 freeswitch-csv/…000100 user_out +442071838750 2026-02-02T08:00:05Z 187 s
        1000 freeswitch-csv/…000101 user_out +442071838750 2026-02-02T08:11:05Z 61 s
        1000 freeswitch-csv/…000102 user_out internal 2026-02-02T08:22:05Z 25 s
        1000 freeswitch-csv/…000103 user_out +49142685300 2026-02-02T08:33:05Z 14 s
        1000 freeswitch-csv/…000104 user_out +4930901820 2026-02-02T08:44:00Z 0 s
        1000 freeswitch-csv/…000105 user_in - 2026-02-02T08:55:05Z 312 s
        1000 freeswitch-csv/…000106 user_out emergency 2026-02-02T09:06:05Z 95 s
        ",
    );
}

#[test]
fn asterisk_csv() {
    check(
        "asterisk-csv,zone=Europe/Berlin,region=DE",
        sample!("asterisk-csv.csv"),
        None,
        "
        contoso asterisk-csv/…:00:00 user_out +442071838750 2026-02-02T08:00:06Z 187 s
        contoso asterisk-csv/…:13:00 user_out +442071838750 2026-02-02T08:13:06Z 61 s
        contoso asterisk-csv/…:26:00 user_out +4930901820 2026-02-02T08:26:06Z 14 s
        contoso asterisk-csv/…:39:00 user_out internal 2026-02-02T08:39:06Z 25 s
        contoso asterisk-csv/…:52:00 user_out internal 2026-02-02T08:52:06Z 9 s
        contoso asterisk-csv/…:05:00 user_out +33142685300 2026-02-02T09:05:00Z 0 s
        contoso asterisk-csv/…:18:00 user_out +33142685300 2026-02-02T09:18:00Z 0 s
        contoso asterisk-csv/…:31:00 user_in - 2026-02-02T09:31:06Z 312 s
        contoso asterisk-csv/…:44:00 user_out emergency 2026-02-02T09:44:06Z 95 s
        contoso asterisk-csv/…:57:00 user_out +12065550142 2026-02-02T09:57:00Z 0 s unanswered-with-billsec
        contoso asterisk-csv/…:30:00 user_out +442071838750 2026-10-25T00:30:05Z 60 s ambiguous-time
        ",
    );
}

#[test]
fn cucm() {
    check(
        "cucm,region=US",
        sample!("cucm.csv"),
        Some("contoso"),
        "
        not a call
        contoso cucm/…000000 user_out +442071838750 2026-02-02T08:00:07Z 187 s
        contoso cucm/…000001 user_out +442071838750 2026-02-02T08:11:47Z 61 s
        contoso cucm/…000002 user_out +12065550142 2026-02-02T08:23:27Z 14 s
        not a call
        not a call
        contoso cucm/…000003 user_out internal 2026-02-02T08:35:07Z 25 s
        contoso cucm/…000004 user_out +33142685300 2026-02-02T08:46:40Z 0 s
        contoso cucm/…000005 user_out emergency 2026-02-02T08:58:27Z 95 s
        ",
    );
}

#[test]
fn twilio() {
    check("twilio", sample!("twilio.json"), None, "
        ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa twilio/…aaaaaa user_out +13051913581 2019-10-18T17:02:00Z 4 s duration-mismatch
        ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa twilio/…aaaaa0 ucap_in +13051913580 2019-10-18T16:02:00Z 3 s duration-mismatch
        ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa twilio/…000001 user_out +442071838750 2026-02-02T08:00:00Z 187 s
        ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa twilio/…000002 user_out +4930901820 2026-02-02T08:13:00Z 0 s
        ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa twilio/…000003 user_out +12065550142 2026-02-02T08:26:00Z 0 s
        ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa twilio/…000004 user_out +33142685300 2026-02-02T08:39:00Z 61 s
        ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa twilio/…000005 ucap_in +18005550199 2026-02-02T09:52:00Z 33 s
        ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa twilio/…000006 user_in - 2026-02-02T09:05:00Z 12 s
        not a call
        ");
}
