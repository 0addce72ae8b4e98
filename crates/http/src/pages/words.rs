//! What pages say, in every language there is.

pub(super) mod factors;

use countersign_domain::catalogue;

catalogue! {
    /// A language to say things in.
    Words {
        /// The first page.
        sign_in_title() { En: "Sign in", De: "Anmelden" }
        /// For whom.
        to_client(client) { En: "to continue to {client}", De: "weiter zu {client}" }
        /// For nobody else.
        to_account(project) { En: "to your account with {project}", De: "bei Ihrem Konto bei {project}" }
        /// Who is signed in already.
        continue_as(who) { En: "Continue as {who}", De: "Weiter als {who}" }
        /// Between that and what follows.
        or_other() { En: "or with another address", De: "oder mit einer anderen Adresse" }
        /// On a field.
        email_label() { En: "E-mail address", De: "E-Mail-Adresse" }
        /// On a button.
        go_on() { En: "Continue", De: "Weiter" }
        /// On a button.
        cancel() { En: "Cancel", De: "Abbrechen" }
        /// Under the field.
        email_hint() { En: "We send you a code.", De: "Wir senden Ihnen einen Code." }
        /// It wasn't one.
        no_address() {
            En: "This is not an e-mail address. Please check it.",
            De: "Das ist keine E-Mail-Adresse. Bitte prüfen Sie sie.",
        }
        /// There is no way for mail.
        no_mail() {
            En: "We can't send mail at the moment. Please try again later, or sign in another way.",
            De: "Wir können gerade keine E-Mails senden. Bitte versuchen Sie es später, oder melden Sie sich auf andere Weise an.",
        }
        /// On a button.
        passkey_button() { En: "Sign in with a passkey", De: "Mit einem Passkey anmelden" }
        /// The browser brought none.
        passkey_not_shown() {
            En: "No passkey was shown. Try again, or sign in another way.",
            De: "Es wurde kein Passkey gezeigt. Versuchen Sie es noch einmal, oder melden Sie sich auf andere Weise an.",
        }
        /// Too many sign in at once, from one network.
        passkey_wait() {
            En: "Too many are signing in from your network just now. Wait a minute, then try again, or sign in another way.",
            De: "Aus Ihrem Netz melden sich gerade zu viele an. Warten Sie eine Minute und versuchen Sie es dann noch einmal, oder melden Sie sich auf andere Weise an.",
        }
        /// It won't do.
        wrong_passkey() {
            En: "This passkey can't be used here, or the question to it was too old. Try again, or sign in another way.",
            De: "Dieser Passkey kann hier nicht verwendet werden, oder die Frage an ihn war zu alt. Versuchen Sie es noch einmal, oder melden Sie sich auf andere Weise an.",
        }
        /// The page after that.
        code_title() { En: "Check your mail", De: "Sehen Sie in Ihr Postfach" }
        /// Where it went.
        code_sent(to) {
            En: "If this address can be used here, a message with a code is on its way to {to}.",
            De: "Wenn diese Adresse hier verwendet werden kann, ist eine Nachricht mit einem Code unterwegs an {to}.",
        }
        /// What else there is in it.
        link_hint() {
            En: "The message has a link, too. It works in this browser.",
            De: "Die Nachricht enthält auch einen Link. Er funktioniert in diesem Browser.",
        }
        /// The channel has trouble.
        mail_is_late() {
            En: "Our mail is slow at the moment: the message may take a few minutes.",
            De: "Unsere E-Mails sind gerade langsam: Die Nachricht kann einige Minuten brauchen.",
        }
        /// Somebody has shown wrong codes.
        guessed_at() {
            En: "Wrong codes were typed for this address lately. If that wasn't you, somebody else may be trying to sign in with it: never pass a code on to anybody.",
            De: "Für diese Adresse wurden in letzter Zeit falsche Codes eingegeben. Wenn Sie das nicht waren, versucht vielleicht jemand anders, sich damit anzumelden: Geben Sie nie einen Code an jemanden weiter.",
        }
        /// On a field.
        code_label(digits) { En: "Code, {digits} digits", De: "Code, {digits} Ziffern" }
        /// It wasn't the code.
        wrong_code(left) {
            En: "That was not the code. Look at the newest message and try again; you can try {left} more times.",
            De: "Das war nicht der Code. Sehen Sie in die neueste Nachricht und versuchen Sie es noch einmal; Sie haben noch {left} Versuche.",
        }
        /// It wasn't even like one.
        no_code() {
            En: "That was not the code. Look at the newest message and try again.",
            De: "Das war nicht der Code. Sehen Sie in die neueste Nachricht und versuchen Sie es noch einmal.",
        }
        /// The code can't be used any more.
        code_over() {
            En: "This code can't be used any more. Ask for another.",
            De: "Dieser Code kann nicht mehr verwendet werden. Fordern Sie einen neuen an.",
        }
        /// On a button.
        resend() { En: "Send another code", De: "Neuen Code senden" }
        /// Where the button will be.
        resend_in(seconds) {
            En: "You can ask for another code in {seconds} seconds: reload this page then.",
            De: "In {seconds} Sekunden können Sie einen neuen Code anfordern: Laden Sie diese Seite dann neu.",
        }
        /// A link.
        other_address() { En: "Use another address", De: "Andere Adresse verwenden" }
        /// Too many for now.
        wait() {
            En: "That was too often. Wait a few minutes, then try again.",
            De: "Das war zu oft. Warten Sie einige Minuten und versuchen Sie es dann noch einmal.",
        }
        /// Too many for this sign-in.
        too_many_codes() {
            En: "No more codes can be sent for this sign-in. Cancel, and begin again.",
            De: "Für diese Anmeldung können keine Codes mehr gesendet werden. Brechen Sie ab und beginnen Sie noch einmal.",
        }
        /// What a link in a message leads to.
        link_button() { En: "Sign in", De: "Anmelden" }
        /// The link was opened somewhere else.
        link_elsewhere_title() { En: "Open this link in the other browser", De: "Öffnen Sie diesen Link im anderen Browser" }
        /// Why.
        link_elsewhere() {
            En: "This link works once, for some minutes, and only in the browser in which you began to sign in. Open it there, or type the code from the message there. If you didn't ask for it, close this page.",
            De: "Dieser Link funktioniert einmal, einige Minuten lang und nur in dem Browser, in dem Sie die Anmeldung begonnen haben. Öffnen Sie ihn dort, oder geben Sie dort den Code aus der Nachricht ein. Wenn Sie ihn nicht angefordert haben, schließen Sie diese Seite.",
        }
        /// The page that asks.
        consent_title(client) { En: "{client} asks for access", De: "{client} bittet um Zugriff" }
        /// Who is asked.
        consent_as(who) { En: "You are signed in as {who}.", De: "Sie sind angemeldet als {who}." }
        /// What it asks for.
        consent_lead(client) { En: "{client} would like to:", De: "{client} möchte:" }
        /// What every app does.
        scope_openid() { En: "know that it is you", De: "wissen, dass Sie es sind" }
        /// A scope.
        scope_profile() { En: "see your name", De: "Ihren Namen sehen" }
        /// A scope.
        scope_email() { En: "see your e-mail address", De: "Ihre E-Mail-Adresse sehen" }
        /// A scope.
        scope_phone() { En: "see your telephone number", De: "Ihre Telefonnummer sehen" }
        /// A scope.
        scope_address() { En: "see your postal address", De: "Ihre Postanschrift sehen" }
        /// A scope.
        scope_offline() { En: "keep this access while you are away", De: "diesen Zugriff behalten, auch wenn Sie nicht da sind" }
        /// A scope of the project's own.
        scope_other(scope) { En: "use “{scope}” in your name", De: "„{scope}“ in Ihrem Namen verwenden" }
        /// On a button.
        allow() { En: "Allow", De: "Erlauben" }
        /// On a button.
        deny() { En: "Don't allow", De: "Nicht erlauben" }
        /// A link.
        back_to_app() { En: "Back to the app", De: "Zurück zur App" }
        /// Between here and the app.
        going_back() { En: "One moment", De: "Einen Moment" }
        /// Where no script runs.
        going_back_hint() { En: "If nothing happens, press the button.", De: "Wenn nichts geschieht, drücken Sie den Knopf." }
        /// The sign-in isn't there.
        over_title() { En: "This sign-in is over", De: "Diese Anmeldung ist vorbei" }
        /// What to do.
        over() {
            En: "It was finished, took too long, or was begun in another browser. Go back to the app and begin again.",
            De: "Sie ist abgeschlossen, hat zu lange gedauert oder wurde in einem anderen Browser begonnen. Gehen Sie zurück zur App und beginnen Sie noch einmal.",
        }
        /// Something else than a form of ours.
        unreadable_title() { En: "This can't be read", De: "Das ist nicht lesbar" }
        /// What to do.
        unreadable() {
            En: "What your browser sent is incomplete. Go back to the app and begin again.",
            De: "Was Ihr Browser gesendet hat, ist unvollständig. Gehen Sie zurück zur App und beginnen Sie noch einmal.",
        }
        /// Another page sent it.
        forged_title() { En: "This didn't come from our page", De: "Das kam nicht von unserer Seite" }
        /// What to do.
        forged() {
            En: "Nothing was done. Another page, or an old one, sent this form. Go back to the app and begin again.",
            De: "Es ist nichts geschehen. Eine andere oder eine alte Seite hat dieses Formular gesendet. Gehen Sie zurück zur App und beginnen Sie noch einmal.",
        }
        /// Too many begin here.
        too_many_title() { En: "Too many at once", De: "Zu viele auf einmal" }
        /// What to do.
        too_many() {
            En: "Too many people sign in from your network just now. Wait a minute, then begin again in the app.",
            De: "Aus Ihrem Netz melden sich gerade zu viele an. Warten Sie eine Minute und beginnen Sie dann in der App noch einmal.",
        }
        /// The app made a mistake.
        request_title() { En: "The app made a mistake", De: "Die App hat einen Fehler gemacht" }
        /// There is no such project.
        no_project() {
            En: "The address that you came by leads nowhere. Please tell whoever runs the app.",
            De: "Die Adresse, über die Sie kommen, führt nirgendwohin. Bitte sagen Sie es denen, die die App betreiben.",
        }
        /// There is no such client.
        unknown_client() {
            En: "The app that sent you here is not known here. Please tell whoever runs it.",
            De: "Die App, die Sie hierher geschickt hat, ist hier nicht bekannt. Bitte sagen Sie es denen, die sie betreiben.",
        }
        /// It isn't registered.
        bad_redirect_uri() {
            En: "The app that sent you here gave an address to return to that is not registered. Please tell whoever runs it.",
            De: "Die App, die Sie hierher geschickt hat, nennt für die Rückkehr eine Adresse, die nicht registriert ist. Bitte sagen Sie es denen, die sie betreiben.",
        }
        /// Our own fault.
        outage_title() { En: "We can't answer just now", De: "Wir können gerade nicht antworten" }
        /// What to do.
        outage() { En: "Please reload this page in a minute.", De: "Bitte laden Sie diese Seite in einer Minute neu." }
        /// They hold the address, and there is no account.
        no_account_title() { En: "There is no account", De: "Es gibt kein Konto" }
        /// What to do.
        no_account() {
            En: "The address is yours, but there is no account with it here. Did you use another address?",
            De: "Die Adresse gehört Ihnen, aber es gibt hier kein Konto dazu. Haben Sie eine andere Adresse verwendet?",
        }
        /// The account is closed.
        disabled_title() { En: "This account is closed", De: "Dieses Konto ist geschlossen" }
        /// What to do.
        disabled() {
            En: "You can't sign in with it. Please ask whoever runs the app.",
            De: "Sie können sich damit nicht anmelden. Bitte fragen Sie die, die die App betreiben.",
        }
        /// The app wants somebody else.
        other_user_title() { En: "This is another account", De: "Das ist ein anderes Konto" }
        /// What to do.
        other_user() {
            En: "The app expected the account that you used before. Go back and begin again with that one.",
            De: "Die App hat das Konto erwartet, das Sie vorher verwendet haben. Gehen Sie zurück und beginnen Sie noch einmal damit.",
        }
        /// The app wants an address.
        no_email_title() { En: "Your account has no e-mail address", De: "Ihr Konto hat keine E-Mail-Adresse" }
        /// What to do.
        no_email() {
            En: "The app needs one. Please ask whoever runs it.",
            De: "Die App braucht eine. Bitte fragen Sie die, die sie betreiben.",
        }
        /// One's own page.
        account_title() { En: "Your account", De: "Ihr Konto" }
        /// Its first part.
        places_title() { En: "Where you are signed in", De: "Wo Sie angemeldet sind" }
        /// This browser.
        here() { En: "this browser", De: "dieser Browser" }
        /// Since when.
        since(moment) { En: "since {moment}", De: "seit {moment}" }
        /// What can't be told.
        some_browser() { En: "a browser", De: "ein Browser" }
        /// Its last part.
        consents_title() { En: "Apps that you allowed", De: "Apps, denen Sie Zugriff erlaubt haben" }
        /// What taking it back means.
        consents_hint() {
            En: "If you take it back, you are signed out of the app, and it asks you next time. What it has learned already it may keep.",
            De: "Wenn Sie es zurücknehmen, sind Sie in der App abgemeldet, und sie fragt Sie beim nächsten Mal. Was sie schon erfahren hat, kann sie behalten.",
        }
        /// What an app may.
        app_may(scopes) { En: "It may: {scopes}", De: "Die App darf: {scopes}" }
        /// On a button.
        take_back() { En: "Take back", De: "Zurücknehmen" }
        /// On a button, with what it is about.
        take_back_from(app) { En: "Take back what {app} may", De: "Zurücknehmen, was {app} darf" }
        /// Its other part.
        passkeys_title() { En: "Your passkeys", De: "Ihre Passkeys" }
        /// What they are.
        passkeys_hint() {
            En: "With a passkey you sign in as you unlock your device, without a code.",
            De: "Mit einem Passkey melden Sie sich so an, wie Sie Ihr Gerät entsperren, ohne Code.",
        }
        /// The last sign-in was too long ago.
        passkeys_locked() {
            En: "To change them you sign in again first.",
            De: "Um sie zu ändern, melden Sie sich zuerst noch einmal an.",
        }
        /// One without a name.
        some_passkey() { En: "a passkey", De: "ein Passkey" }
        /// When.
        last_used(moment) { En: "last used {moment}", De: "zuletzt verwendet {moment}" }
        /// Not yet.
        never_used() { En: "not used yet", De: "noch nicht verwendet" }
        /// On a button.
        add_passkey() { En: "Add a passkey", De: "Passkey hinzufügen" }
        /// On a button.
        remove() { En: "Remove", De: "Entfernen" }
        /// On a button, with what it is about.
        remove_that(name) { En: "Remove the passkey: {name}", De: "Passkey entfernen: {name}" }
        /// On a button.
        rename() { En: "Rename", De: "Umbenennen" }
        /// On a field.
        new_name(name) { En: "New name for {name}", De: "Neuer Name für {name}" }
        /// The browser made none.
        passkey_not_made() {
            En: "No passkey was made. Your device may have one for this account already.",
            De: "Es wurde kein Passkey erstellt. Vielleicht hat Ihr Gerät schon einen für dieses Konto.",
        }
        /// It was refused.
        passkey_not_changed() {
            En: "Nothing was changed. Please try again.",
            De: "Es wurde nichts geändert. Bitte versuchen Sie es noch einmal.",
        }
        /// On a button.
        sign_out() { En: "Sign out", De: "Abmelden" }
        /// On a button, with what it is about.
        sign_out_there(place) { En: "Sign out there: {place}", De: "Dort abmelden: {place}" }
        /// After it.
        signed_out_title() { En: "You are signed out", De: "Sie sind abgemeldet" }
        /// What that means.
        signed_out() {
            En: "You are signed out in this browser. Apps that you use stay signed in until you sign out there.",
            De: "Sie sind in diesem Browser abgemeldet. Apps, die Sie verwenden, bleiben angemeldet, bis Sie sich dort abmelden.",
        }
    }
}
