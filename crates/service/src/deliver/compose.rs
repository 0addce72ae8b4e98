//! Putting a letter into words: subject, plain text, HTML.

use countersign_domain::{locale::Locale, message::Channel, mfa::FactorKind, text::Name};

use super::{
    content::Content,
    letter::{AccountChange, AccountNews, Letter},
    words::Words,
};

/// In whose name a letter is written.
pub(super) struct Sender<'a> {
    /// What people call the project; empty: it has no name.
    pub(super) name: &'a str,
    /// What it is called where it has no name.
    pub(super) id: &'a str,
    /// Where it is reached, so that browsers fill a code in there and nowhere else; none: not over HTTPS.
    pub(super) host: Option<&'a str>,
}

pub(super) fn compose(sender: &Sender<'_>, channel: Channel, locale: Locale, letter: &Letter) -> Content {
    let name = shown(sender.name, sender.id);
    let words = Words(locale);
    let (subject, text, html) = match channel {
        Channel::Email => {
            let (subject, paragraphs) = paragraphs(words, &name, letter);
            let (text, html) = (as_text(&paragraphs), as_html(locale, &subject, &paragraphs));
            (subject, text, html)
        }
        Channel::Sms => (String::new(), text_message(words, &name, sender.host, letter), String::new()),
    };
    let owned = |text: Option<&str>| text.map(str::to_owned);
    Content { sender: name, subject, text, html, code: owned(letter.code()), link: owned(letter.link()) }
}

/// A name as it can stand in a message: without what turns the writing round or breaks a line.
fn shown(name: &str, id: &str) -> String {
    let misleads = |c: &char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
    };
    let name: String = name.chars().filter(|c| !misleads(c)).collect();
    let name = name.trim();
    if name.is_empty() { id.to_owned() } else { name.to_owned() }
}

/// A part of a letter.
enum Paragraph {
    Plain(String),
    Code(String),
    Link {
        label: String,
        to: String,
    },
    /// What is there for safety's sake.
    Small(String),
}

fn paragraphs(words: Words, project: &str, letter: &Letter) -> (String, Vec<Paragraph>) {
    let (subject, lead) = match letter {
        Letter::SignInCode { .. } => (words.sign_in_subject(project), words.sign_in_lead(project)),
        Letter::SignUpCode { .. } => (words.sign_up_subject(project), words.sign_up_lead(project)),
        Letter::ContactCode { .. } => (words.contact_subject(project), words.contact_lead(project)),
        Letter::Account(news) => {
            let (subject, said) = account_news(words, project, news);
            return (subject, warning(words, project, said));
        }
        Letter::FactorCode { .. } => (words.factor_code_subject(project), words.factor_code_lead(project)),
        Letter::NoAccount => {
            let said =
                vec![Paragraph::Plain(words.no_account_body(project)), Paragraph::Small(words.no_account_warning())];
            return (words.no_account_subject(project), said);
        }
        Letter::PasskeyAdded { name } => {
            let said = words.passkey_added_body(project, &called(words, name));
            return (words.passkey_added_subject(project), warning(words, project, said));
        }
        Letter::PasskeyRemoved { name } => {
            let said = words.passkey_removed_body(project, &called(words, name));
            return (words.passkey_removed_subject(project), warning(words, project, said));
        }
        Letter::Changed(change) => {
            let said = change_body(words, project, *change);
            return (words.account_changed_subject(project), warning(words, project, said));
        }
        Letter::Test => return (words.test_subject(project), vec![Paragraph::Plain(words.test_body(project))]),
    };
    let mut paragraphs = vec![Paragraph::Plain(lead)];
    paragraphs.extend(letter.code().map(|code| Paragraph::Code(code.to_owned())));
    if let Some(link) = letter.link() {
        paragraphs.push(Paragraph::Plain(words.link_lead()));
        paragraphs.push(Paragraph::Link { label: words.link_button(), to: link.to_owned() });
    }
    paragraphs.push(Paragraph::Plain(words.validity(&words.span(letter.valid_for()))));
    paragraphs.push(Paragraph::Small(words.warning(project)));
    (subject, paragraphs)
}

/// What happened to an account: in a few words, and in more.
fn account_news(words: Words, project: &str, news: &AccountNews) -> (String, String) {
    match news {
        AccountNews::DeviceRevoked { name } => {
            (words.device_revoked_subject(project), words.device_revoked_body(project, &called(words, name)))
        }
        AccountNews::DeviceRestored { name } => {
            (words.device_restored_subject(project), words.device_restored_body(project, &called(words, name)))
        }
        AccountNews::ContactChanged { to } => {
            (words.contact_changed_subject(project), words.contact_changed_body(project, to))
        }
        AccountNews::Deleted => (words.deleted_subject(project), words.deleted_body(project)),
    }
}

fn change_body(words: Words, project: &str, change: AccountChange) -> String {
    let factor = |kind| match kind {
        FactorKind::Totp => words.factor_totp(),
        FactorKind::Sms => words.factor_sms(),
        FactorKind::Email => words.factor_email(),
    };
    match change {
        AccountChange::FactorAdded(kind) => words.factor_added_body(project, &factor(kind)),
        AccountChange::FactorRemoved(kind) => words.factor_removed_body(project, &factor(kind)),
        AccountChange::RecoveryCodesMade => words.recovery_codes_made_body(project),
        AccountChange::RecoveryCodeUsed => words.recovery_code_used_body(project),
        AccountChange::PhoneChanged => words.phone_changed_body(project),
        AccountChange::PreferenceChanged => words.preference_changed_body(project),
    }
}

/// What somebody must hear of who didn't want it.
fn warning(words: Words, project: &str, said: String) -> Vec<Paragraph> {
    vec![Paragraph::Plain(said), Paragraph::Small(words.account_warning(project))]
}

/// A passkey's name, which whoever made it chose: without what would turn the writing round.
fn called(words: Words, name: &Name) -> String {
    shown(name.as_str(), &words.nameless())
}

fn as_text(paragraphs: &[Paragraph]) -> String {
    let mut text = String::new();
    for paragraph in paragraphs {
        let said = match paragraph {
            Paragraph::Plain(said) | Paragraph::Small(said) => said,
            Paragraph::Code(code) => code,
            Paragraph::Link { to, .. } => to,
        };
        text.push_str(said);
        text.push_str("\n\n");
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// Readers of mail know no style sheets worth the name: what there is to style is styled where it stands.
fn as_html(locale: Locale, subject: &str, paragraphs: &[Paragraph]) -> String {
    let body: String = paragraphs.iter().map(paragraph_as_html).collect();
    format!(
        r#"<!doctype html>
<html lang="{locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{}</title>
</head>
<body style="margin:0;padding:24px;font:16px/1.5 system-ui,sans-serif">
<div style="max-width:32em;margin:0 auto">
{body}</div>
</body>
</html>
"#,
        escape(subject)
    )
}

fn paragraph_as_html(paragraph: &Paragraph) -> String {
    match paragraph {
        Paragraph::Plain(said) => format!("<p>{}</p>\n", escape(said)),
        Paragraph::Code(code) => format!(
            "<p style=\"font:bold 32px/1.25 ui-monospace,monospace;letter-spacing:4px;margin:24px 0\">{}</p>\n",
            escape(code)
        ),
        Paragraph::Link { label, to } => format!(
            "<p style=\"margin:24px 0\"><a href=\"{to}\" rel=\"noreferrer\" \
             style=\"display:inline-block;padding:12px 24px;border:2px solid;border-radius:6px;color:inherit;text-decoration:none\">{}</a></p>\n\
             <p style=\"font-size:13px;word-break:break-all\">{to}</p>\n",
            escape(label),
            to = escape(to),
        ),
        Paragraph::Small(said) => format!("<p style=\"font-size:14px;margin-top:32px\">{}</p>\n", escape(said)),
    }
}

/// For text and for values in double quotes (HTML standard §13.1.2.3, §13.1.4).
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// The last line says in the form that telephones read (WICG, origin-bound one-time codes) where the code belongs: they offer to fill it in
/// there, and at no page that only looks like it.
fn text_message(words: Words, project: &str, host: Option<&str>, letter: &Letter) -> String {
    let Some(code) = letter.code() else {
        return match letter {
            Letter::NoAccount => words.no_account_body(project),
            Letter::PasskeyAdded { name } => words.passkey_added_body(project, &called(words, name)),
            Letter::PasskeyRemoved { name } => words.passkey_removed_body(project, &called(words, name)),
            Letter::Account(news) => account_news(words, project, news).1,
            Letter::Changed(change) => change_body(words, project, *change),
            _ => words.test_body(project),
        };
    };
    let said = words.code_sms(code, project, &words.span(letter.valid_for()));
    match host {
        Some(host) => format!("{said}\n\n@{host} #{code}"),
        None => said,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use countersign_crypto::secret::SecretText;

    use super::*;

    const LINK: &str = "https://auth.example.com/sign-in/link?a=1&b=2";

    fn letter() -> Letter {
        Letter::SignInCode {
            code: SecretText::new("123456".to_owned()),
            link: Some(LINK.to_owned()),
            valid_for: Duration::from_mins(10),
        }
    }

    fn composed(name: &str, channel: Channel, locale: Locale, letter: &Letter) -> Content {
        compose(&Sender { name, id: "p1", host: Some("auth.example.com") }, channel, locale, letter)
    }

    #[test]
    fn a_mail_has_code_and_link_in_both_parts_and_no_code_in_its_subject() {
        for locale in Locale::ALL {
            let mail = composed("Shop", Channel::Email, locale, &letter());
            assert!(mail.subject.contains("Shop") && !mail.subject.contains("123456"), "{}", mail.subject);
            assert!(mail.text.contains("\n123456\n") && mail.text.contains(&format!("\n{LINK}\n")), "{}", mail.text);
            assert!(
                mail.html.contains(">123456<")
                    && mail.html.contains(r#"href="https://auth.example.com/sign-in/link?a=1&amp;b=2""#)
            );
            assert!(mail.html.contains(&format!("<html lang=\"{locale}\">")));
        }
        assert!(composed("Shop", Channel::Email, Locale::De, &letter()).text.contains("10 Minuten"));
        assert!(composed("Shop", Channel::Email, Locale::En, &letter()).text.contains("10 minutes"));
    }

    #[test]
    fn a_name_is_text_and_nothing_else() {
        let name = "<script>alert(1)</script> & \"Sons\" 'n' {code}\r\nBcc: eve@example.com\u{202e}\u{2028}";
        let mail = composed(name, Channel::Email, Locale::En, &letter());
        let expected = "<script>alert(1)</script> & \"Sons\" 'n' {code}Bcc: eve@example.com";
        assert_eq!(mail.sender, expected);
        assert_eq!(mail.subject, format!("Your code to sign in to {expected}"));
        assert!(mail.text.contains(expected));
        assert!(
            !mail.html.contains("<script")
                && mail.html.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;Sons&quot; &#39;n&#39;")
        );
    }

    #[test]
    fn a_link_cant_leave_its_quotes() {
        let link = Some("https://a.example/\" onclick=\"alert(1)".to_owned());
        let hostile =
            Letter::SignUpCode { code: SecretText::new("1".to_owned()), link, valid_for: Duration::from_mins(1) };
        let mail = composed("Shop", Channel::Email, Locale::En, &hostile);
        assert!(
            !mail.html.contains("\" onclick") && mail.html.contains("&quot; onclick=&quot;alert(1)"),
            "{}",
            mail.html
        );
    }

    #[test]
    fn a_project_without_a_name_goes_by_its_id() {
        for name in ["", "  ", "\u{202e}"] {
            assert_eq!(composed(name, Channel::Email, Locale::En, &Letter::Test).sender, "p1");
        }
    }

    #[test]
    fn a_letter_about_a_passkey_says_which_and_what_to_do() {
        let name: Name = "<b>Key\u{202e}</b>".parse().unwrap();
        for locale in Locale::ALL {
            let added = composed("Shop", Channel::Email, locale, &Letter::PasskeyAdded { name: name.clone() });
            let removed = composed("Shop", Channel::Email, locale, &Letter::PasskeyRemoved { name: name.clone() });
            assert_ne!(added.subject, removed.subject);
            for mail in [added, removed] {
                assert!(mail.subject.contains("Shop") && mail.text.contains("<b>Key</b>"), "{}", mail.text);
                assert!(mail.html.contains("&lt;b&gt;Key&lt;/b&gt;") && !mail.html.contains("<b>"), "{}", mail.html);
                assert_eq!((mail.code, mail.link), (None, None));
            }
        }
        let nameless = Letter::PasskeyAdded { name: Name::empty() };
        let mail = composed("Shop", Channel::Email, Locale::En, &nameless);
        assert!(mail.text.contains("one without a name") && mail.text.contains("tell Shop at once"), "{}", mail.text);
        let sms = composed("Shop", Channel::Sms, Locale::De, &nameless);
        assert!(sms.text.contains("einer ohne Namen"), "{}", sms.text);
    }

    #[test]
    fn a_text_message_ends_with_where_its_code_belongs() {
        let sms = composed("Shop", Channel::Sms, Locale::En, &letter());
        let expected =
            "123456 is your code for Shop. It is good for 10 minutes. Give it to nobody.\n\n@auth.example.com #123456";
        assert_eq!((sms.text.as_str(), sms.subject.as_str(), sms.html.as_str()), (expected, "", ""));
        let without = compose(&Sender { name: "Shop", id: "p1", host: None }, Channel::Sms, Locale::De, &letter());
        assert_eq!(without.text, "123456 ist Ihr Code für Shop. Er gilt 10 Minuten. Geben Sie ihn niemandem.");
    }
}
