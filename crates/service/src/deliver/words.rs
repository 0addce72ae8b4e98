//! The words of messages, in every language there is.

use countersign_domain::catalogue;

catalogue! {
    /// A language to say things in.
    Words {
        /// Without the code: subjects are on locked screens and in logs.
        sign_in_subject(project) {
            En: "Your code to sign in to {project}",
            De: "Ihr Code zur Anmeldung bei {project}",
        }
        /// Before the code.
        sign_in_lead(project) {
            En: "This is your code to sign in to {project}:",
            De: "Das ist Ihr Code zur Anmeldung bei {project}:",
        }
        /// The same for an account that isn't there yet.
        sign_up_subject(project) {
            En: "Your code to open an account with {project}",
            De: "Ihr Code für ein neues Konto bei {project}",
        }
        /// Before the code.
        sign_up_lead(project) {
            En: "This is your code to open an account with {project}:",
            De: "Das ist Ihr Code für ein neues Konto bei {project}:",
        }
        /// Before the link.
        link_lead() {
            En: "Or open this link in the browser in which you began:",
            De: "Oder öffnen Sie diesen Link in dem Browser, in dem Sie begonnen haben:",
        }
        /// On the link, where it is a button.
        link_button() {
            En: "Continue",
            De: "Weiter",
        }
        /// After code and link.
        validity(span) {
            En: "It is good for {span} and works once.",
            De: "Er gilt {span} und funktioniert einmal.",
        }
        /// At the end: whoever reads this may be somebody's victim.
        warning(project) {
            En: "If you didn't ask for this, you needn't do anything. Give the code to nobody: {project} will never ask you for it.",
            De: "Wenn Sie das nicht angefordert haben, brauchen Sie nichts zu tun. Geben Sie den Code niemandem: {project} wird Sie nie danach fragen.",
        }
        /// All of a text message.
        code_sms(code, project, span) {
            En: "{code} is your code for {project}. It is good for {span}. Give it to nobody.",
            De: "{code} ist Ihr Code für {project}. Er gilt {span}. Geben Sie ihn niemandem.",
        }
        /// Somebody asked for a code, and there is no account.
        no_account_subject(project) {
            En: "No account with {project}",
            De: "Kein Konto bei {project}",
        }
        /// What that means.
        no_account_body(project) {
            En: "Somebody, perhaps you, wanted to sign in to {project} with this address. There is no account with it. Did you use another address?",
            De: "Jemand, vielleicht Sie, wollte sich mit dieser Adresse bei {project} anmelden. Es gibt dort kein Konto dazu. Haben Sie eine andere Adresse verwendet?",
        }
        /// At the end.
        no_account_warning() {
            En: "If it wasn't you, you needn't do anything.",
            De: "Wenn Sie es nicht waren, brauchen Sie nichts zu tun.",
        }
        /// Somebody has gained a passkey.
        passkey_added_subject(project) {
            En: "A passkey was added to your account with {project}",
            De: "Ihr Konto bei {project} hat einen neuen Passkey",
        }
        /// That, and which.
        passkey_added_body(project, name) {
            En: "Your account with {project} has a new passkey: {name}. Whoever holds it can sign in with it.",
            De: "Ihr Konto bei {project} hat einen neuen Passkey: {name}. Wer ihn hat, kann sich damit anmelden.",
        }
        /// Somebody has lost a passkey.
        passkey_removed_subject(project) {
            En: "A passkey was removed from your account with {project}",
            De: "Ein Passkey Ihres Kontos bei {project} wurde entfernt",
        }
        /// That, and which.
        passkey_removed_body(project, name) {
            En: "This passkey was removed from your account with {project}: {name}. Nobody can sign in with it any more.",
            De: "Dieser Passkey wurde aus Ihrem Konto bei {project} entfernt: {name}. Niemand kann sich mehr damit anmelden.",
        }
        /// Somebody wants to be known by another address.
        contact_subject(project) {
            En: "Your code for your account with {project}",
            De: "Ihr Code für Ihr Konto bei {project}",
        }
        /// Before the code.
        contact_lead(project) {
            En: "This is your code to be known by this address at {project}:",
            De: "Das ist Ihr Code, um bei {project} unter dieser Adresse bekannt zu sein:",
        }
        /// A passkey was revoked.
        device_revoked_subject(project) {
            En: "A passkey of your account with {project} was locked out",
            De: "Ein Passkey Ihres Kontos bei {project} wurde gesperrt",
        }
        /// That, and which.
        device_revoked_body(project, name) {
            En: "This passkey can't sign in to your account with {project} any more: {name}. Wherever it had signed in, it was signed out.",
            De: "Dieser Passkey kann sich nicht mehr bei Ihrem Konto bei {project} anmelden: {name}. Wo er angemeldet war, wurde er abgemeldet.",
        }
        /// It was let in again.
        device_restored_subject(project) {
            En: "A passkey of your account with {project} was let in again",
            De: "Ein Passkey Ihres Kontos bei {project} ist wieder zugelassen",
        }
        /// That, and which.
        device_restored_body(project, name) {
            En: "This passkey can sign in to your account with {project} again: {name}.",
            De: "Dieser Passkey kann sich wieder bei Ihrem Konto bei {project} anmelden: {name}.",
        }
        /// The reader is no longer known by this address.
        contact_changed_subject(project) {
            En: "Your account with {project} was changed",
            De: "Ihr Konto bei {project} wurde geändert",
        }
        /// That, and to what.
        contact_changed_body(project, to) {
            En: "Your account with {project} is known by this from now on: {to}.",
            De: "Ihr Konto bei {project} ist ab jetzt hierunter bekannt: {to}.",
        }
        /// The account is no more.
        deleted_subject(project) {
            En: "Your account with {project} was deleted",
            De: "Ihr Konto bei {project} wurde gelöscht",
        }
        /// That, and that it is for good.
        deleted_body(project) {
            En: "Your account with {project} was deleted, with all that was kept of it. This can't be undone.",
            De: "Ihr Konto bei {project} wurde gelöscht, mit allem, was dazu gespeichert war. Das kann nicht rückgängig gemacht werden.",
        }
        /// A passkey that has no name.
        nameless() {
            En: "one without a name",
            De: "einer ohne Namen",
        }
        /// Something of the account has changed.
        account_changed_subject(project) {
            En: "Your account with {project} was changed",
            De: "Ihr Konto bei {project} wurde geändert",
        }
        /// Without the code.
        factor_code_subject(project) {
            En: "Your code to set up a second factor with {project}",
            De: "Ihr Code für einen zweiten Faktor bei {project}",
        }
        /// Before the code.
        factor_code_lead(project) {
            En: "With this code you set up a second factor for signing in to {project}:",
            De: "Mit diesem Code richten Sie einen zweiten Faktor für die Anmeldung bei {project} ein:",
        }
        /// A second factor is there.
        factor_added_body(project, factor) {
            En: "Your account with {project} has a new second factor: {factor}.",
            De: "Ihr Konto bei {project} hat einen neuen zweiten Faktor: {factor}.",
        }
        /// A second factor is gone.
        factor_removed_body(project, factor) {
            En: "This second factor was removed from your account with {project}: {factor}.",
            De: "Dieser zweite Faktor wurde aus Ihrem Konto bei {project} entfernt: {factor}.",
        }
        /// Which.
        factor_totp() {
            En: "an authenticator app",
            De: "eine Authenticator-App",
        }
        /// Which.
        factor_sms() {
            En: "codes by text message",
            De: "Codes per SMS",
        }
        /// Which.
        factor_email() {
            En: "codes by e-mail",
            De: "Codes per E-Mail",
        }
        /// The old ones are worthless.
        recovery_codes_made_body(project) {
            En: "There are new recovery codes for your account with {project}. Those from before don't work any more.",
            De: "Für Ihr Konto bei {project} gibt es neue Wiederherstellungscodes. Die bisherigen funktionieren nicht mehr.",
        }
        /// Somebody came in by one.
        recovery_code_used_body(project) {
            En: "A recovery code was used to sign in to your account with {project}.",
            De: "Für die Anmeldung bei Ihrem Konto bei {project} wurde ein Wiederherstellungscode verwendet.",
        }
        /// There is another telephone number.
        phone_changed_body(project) {
            En: "Your account with {project} has another telephone number.",
            De: "Ihr Konto bei {project} hat eine andere Telefonnummer.",
        }
        /// A second factor is asked for at other times.
        preference_changed_body(project) {
            En: "It was changed when you are asked for a second factor to sign in to {project}.",
            De: "Es wurde geändert, wann Sie bei der Anmeldung bei {project} nach einem zweiten Faktor gefragt werden.",
        }
        /// At the end of what is told about an account.
        account_warning(project) {
            En: "If it wasn't you, somebody else may have been in your account: tell {project} at once.",
            De: "Wenn Sie das nicht waren, war vielleicht jemand anderes in Ihrem Konto: Sagen Sie es {project} sofort.",
        }
        /// A message that only tries whether messages arrive.
        test_subject(project) {
            En: "A test from {project}",
            De: "Ein Test von {project}",
        }
        /// All that it says.
        test_body(project) {
            En: "This is a test: messages from {project} reach you.",
            De: "Das ist ein Test: Nachrichten von {project} kommen bei Ihnen an.",
        }
        /// A time.
        one_minute() {
            En: "1 minute",
            De: "1 Minute",
        }
        /// A time.
        minutes(count) {
            En: "{count} minutes",
            De: "{count} Minuten",
        }
    }
}

impl Words {
    /// In whole minutes, of which nobody gets more than there are; less than one is one.
    pub(super) fn span(self, span: std::time::Duration) -> String {
        match span.as_secs() / 60 {
            0 | 1 => self.one_minute(),
            count => self.minutes(&count.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use countersign_domain::locale::Locale;

    use super::*;

    #[test]
    fn times_are_rounded_to_what_holds() {
        let span = |seconds| Words(Locale::De).span(Duration::from_secs(seconds));
        assert_eq!(
            [span(30), span(60), span(119), span(120), span(600)],
            ["1 Minute", "1 Minute", "1 Minute", "2 Minuten", "10 Minuten"]
        );
        assert_eq!(Words(Locale::En).span(Duration::from_mins(10)), "10 minutes");
    }

    #[test]
    fn what_is_filled_in_is_not_read_for_placeholders() {
        let said = Words(Locale::En).code_sms("123456", "{code} {span} {{}}", "10 minutes");
        assert_eq!(said, "123456 is your code for {code} {span} {{}}. It is good for 10 minutes. Give it to nobody.");
    }
}
