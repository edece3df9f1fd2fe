use std::fs;

use super::{Notice, TemplateError, Templates, samples};

#[test]
fn mails_of_every_kind() {
    let templates = Templates::open(None).expect("templates");
    for sample in samples() {
        let mail = templates.render(&sample, Some("EUR")).expect("a mail");
        let shown = format!("Subject: {}\n\n{}\n{}", mail.subject, mail.text, mail.html);
        insta::with_settings!({ snapshot_path => "../../../tests/snapshots", prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(format!("mail_{}_{}", sample.seq(), sample.kind()), shown);
        });
    }
}

/// What somebody else chose: the name of an organisation, the reason of a payment side.
#[test]
fn nothing_an_event_says_is_taken_for_more_than_text() {
    let line = r#"{"type":"RechargeFailed","orgId":"a<b>\r\nBcc: x@y.example","seq":1,"at":"2026-03-02T10:00:00Z","rechargeId":"a/4","outcome":"declined","reason":"<script>alert(1)</script>{{ org }}\u2028\r\n\r\nX: y","rearmAt":"2026-03-03T10:00:00Z","balanceAfter":"4.25"}"#;
    let notice = Notice::read(line.as_bytes()).expect("an event");
    let mail = Templates::open(None).expect("templates").render(&notice, None).expect("a mail");
    assert_eq!(mail.subject, "Recharge of a<b> Bcc: x@y.example failed: <script>alert(1)</script>{{ org }} X: y");
    assert!(mail.html.contains("a&lt;b&gt;") && mail.html.contains("&lt;script&gt;") && !mail.html.contains("<script"));
    assert!(mail.text.contains("4.25\n"));
}

#[test]
fn templates_of_an_operator_take_the_place_of_ours_if_they_are_right() {
    let directory = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).expect("written");
    let open = || Templates::open(Some(directory.path()));
    write("balance-zero.subject", "{{ org }} ist leer: {{ event.balanceAfter | money }}");
    write("README.md", "ours");
    let sample = samples().find(|sample| sample.kind() == "BalanceExhausted").expect("a sample");
    let mail = open().expect("templates").render(&sample, Some("EUR")).expect("a mail");
    assert_eq!(mail.subject, "contoso ist leer: 0.00 EUR");
    assert!(mail.text.contains("used up"));

    write("balance-zero.txt", "{{ event.balance }}");
    assert!(matches!(open(), Err(TemplateError::Render(name, _)) if name == "balance-zero.txt"));
    write("balance-zero.txt", "{% if %}");
    assert!(matches!(open(), Err(TemplateError::Render(name, _)) if name == "balance-zero.txt"));
    write("balance-zero.txt", "fine");
    write("balance-null.txt", "what?");
    assert!(matches!(open(), Err(TemplateError::Unknown(_))));
}
