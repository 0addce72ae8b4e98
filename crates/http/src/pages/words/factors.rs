//! What pages say of second factors.

use countersign_domain::catalogue;

catalogue! {
    /// A language to say things in.
    FactorWords {
        /// The page that asks for one.
        second_title() { En: "One more step", De: "Noch ein Schritt" }
        /// The page where there is none.
        set_up_title() { En: "Set up a second factor", De: "Zweiten Faktor einrichten" }
        /// Why.
        set_up_lead() {
            En: "To sign in here you need a second factor, and you have none yet. Which is it to be?",
            De: "Für die Anmeldung hier brauchen Sie einen zweiten Faktor und haben noch keinen. Welcher soll es sein?",
        }
        /// Which one?
        choose_lead() {
            En: "How do you want to show that it is you?",
            De: "Wie möchten Sie zeigen, dass Sie es sind?",
        }
        /// Of an app.
        totp_lead() {
            En: "Open your authenticator app and type the code that it shows.",
            De: "Öffnen Sie Ihre Authenticator-App und geben Sie den Code ein, den sie zeigt.",
        }
        /// Of a message.
        sent_lead(to) {
            En: "We have sent a code to {to}.",
            De: "Wir haben einen Code an {to} gesendet.",
        }
        /// On a field.
        code_label(digits) { En: "Code, {digits} digits", De: "Code, {digits} Ziffern" }
        /// On a button.
        go_on() { En: "Continue", De: "Weiter" }
        /// It wasn't the code.
        wrong_code(left) {
            En: "That was not the code. You can try {left} more times.",
            De: "Das war nicht der Code. Sie haben noch {left} Versuche.",
        }
        /// Too many wrong codes.
        tried_out() {
            En: "Too many wrong codes were typed. Begin again.",
            De: "Es wurden zu viele falsche Codes eingegeben. Beginnen Sie noch einmal.",
        }
        /// What has to be done.
        scan_lead() {
            En: "Scan this with an authenticator app, or type the key into it. Then type the code that the app shows.",
            De: "Scannen Sie das mit einer Authenticator-App, oder geben Sie den Schlüssel dort ein. Geben Sie dann den Code ein, den die App zeigt.",
        }
        /// For who can't see it.
        qr_label() { En: "QR code for an authenticator app", De: "QR-Code für eine Authenticator-App" }
        /// Before the key.
        key_label() { En: "Key", De: "Schlüssel" }
        /// A link for a telephone that is itself the authenticator.
        open_app() { En: "Open in an app on this device", De: "In einer App auf diesem Gerät öffnen" }
        /// On a field.
        phone_label() { En: "Telephone number, with + and country", De: "Telefonnummer mit + und Landesvorwahl" }
        /// Under it.
        phone_hint() {
            En: "We send a code there now, and each time you sign in.",
            De: "Wir senden jetzt und bei jeder Anmeldung einen Code dorthin.",
        }
        /// It wasn't one.
        no_phone() {
            En: "This is not a telephone number. Please write it like +49 170 1234567, with the country.",
            De: "Das ist keine Telefonnummer. Bitte schreiben Sie sie wie +49 170 1234567, mit dem Land.",
        }
        /// On a field.
        recovery_label() { En: "Recovery code", De: "Wiederherstellungscode" }
        /// It wasn't one, or was used.
        wrong_recovery_code() {
            En: "This is none of your recovery codes, or it was used before: each works once.",
            De: "Das ist keiner Ihrer Wiederherstellungscodes, oder er wurde schon verwendet: Jeder funktioniert einmal.",
        }
        /// What else there is.
        others() { En: "Another way", De: "Auf andere Weise" }
        /// On a button.
        by_totp() { En: "Use an authenticator app", De: "Authenticator-App verwenden" }
        /// On a button.
        by_sms() { En: "Get a code by text message", De: "Code per SMS erhalten" }
        /// On a button.
        by_email() { En: "Get a code by e-mail", De: "Code per E-Mail erhalten" }
        /// On a button.
        by_recovery_code() { En: "Use a recovery code", De: "Wiederherstellungscode verwenden" }
        /// The part of the account's page.
        factors_title() { En: "Second factors", De: "Zweite Faktoren" }
        /// What they are for.
        factors_hint() {
            En: "What you show when you sign in, beside the code that we send you. A passkey needs none.",
            De: "Was Sie bei der Anmeldung zeigen, neben dem Code, den wir Ihnen senden. Ein Passkey braucht keinen.",
        }
        /// A factor.
        totp_name() { En: "Authenticator app", De: "Authenticator-App" }
        /// A factor.
        sms_name(to) { En: "Text message to {to}", De: "SMS an {to}" }
        /// A factor.
        email_name(to) { En: "E-mail to {to}", De: "E-Mail an {to}" }
        /// On a button.
        add_totp() { En: "Set up an authenticator app", De: "Authenticator-App einrichten" }
        /// On a button.
        add_sms() { En: "Get codes by text message", De: "Codes per SMS erhalten" }
        /// How many there are.
        recovery_left(count) {
            En: "You have {count} recovery codes left. Each lets you in once without your second factor.",
            De: "Sie haben noch {count} Wiederherstellungscodes. Jeder lässt Sie einmal ohne Ihren zweiten Faktor ein.",
        }
        /// On a button.
        make_codes() { En: "Make new recovery codes", De: "Neue Wiederherstellungscodes erstellen" }
        /// The page that shows them.
        codes_title() { En: "Your recovery codes", De: "Ihre Wiederherstellungscodes" }
        /// What to do with them.
        codes_lead() {
            En: "Print these, or write them down, and keep them where nobody else looks. They are shown only now. Those from before don't work any more.",
            De: "Drucken Sie diese Codes aus oder schreiben Sie sie auf, und bewahren Sie sie auf, wo niemand sonst hinsieht. Sie werden nur jetzt gezeigt. Die bisherigen funktionieren nicht mehr.",
        }
        /// A link.
        to_account() { En: "Back to your account", De: "Zurück zu Ihrem Konto" }
        /// When they are asked for.
        preference_label() { En: "Ask me for it", De: "Danach fragen" }
        /// At each sign-in.
        always() { En: "at each sign-in", De: "bei jeder Anmeldung" }
        /// Where something speaks against it.
        risk_only() { En: "when something is unusual", De: "wenn etwas ungewöhnlich ist" }
        /// Never.
        never() { En: "never", De: "nie" }
        /// On a button.
        save() { En: "Save", De: "Speichern" }
        /// It was wrong, or took too long.
        not_set_up() {
            En: "That was not the code, or it took too long. Begin again.",
            De: "Das war nicht der Code, oder es hat zu lange gedauert. Beginnen Sie noch einmal.",
        }
        /// Everybody must have one here.
        last_factor() {
            En: "You need a second factor here: set up another before you remove this one.",
            De: "Sie brauchen hier einen zweiten Faktor: Richten Sie einen anderen ein, bevor Sie diesen entfernen.",
        }
    }
}
