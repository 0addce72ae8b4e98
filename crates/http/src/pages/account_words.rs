//! What the parts of the account's page say that change an account, in every language there is.

use countersign_domain::catalogue;

catalogue! {
    /// A language to say things in.
    AccountWords {
        /// On a passkey that was revoked.
        locked_out() { En: "locked out", De: "gesperrt" }
        /// On a button.
        lock_out() { En: "Lock out", De: "Sperren" }
        /// On a button, with what it is about.
        lock_out_that(name) { En: "Lock out the passkey: {name}", De: "Passkey sperren: {name}" }
        /// On a button.
        let_in() { En: "Let in again", De: "Wieder zulassen" }
        /// On a button, with what it is about.
        let_in_that(name) { En: "Let the passkey in again: {name}", De: "Passkey wieder zulassen: {name}" }
        /// What locking out and removing mean.
        devices_hint() {
            En: "If you lock out or remove one, you are signed out wherever it signed you in, perhaps here.",
            De: "Wenn Sie einen sperren oder entfernen, werden Sie überall abgemeldet, wo er Sie angemeldet hat, vielleicht auch hier.",
        }
        /// When it was shown, though it was locked out.
        last_attempted(moment) { En: "last tried {moment}", De: "zuletzt versucht {moment}" }
        /// With what it was used.
        used_with(agent) { En: "with {agent}", De: "mit {agent}" }
        /// A part of the page.
        contacts_title() { En: "How you are known", De: "Wie Sie bekannt sind" }
        /// What it is for.
        contacts_hint() {
            En: "We send a code to a new address or number, and tell the old one when it is done. You stay signed in.",
            De: "An eine neue Adresse oder Nummer senden wir einen Code, und die alte erfährt, wenn es geschehen ist. Sie bleiben angemeldet.",
        }
        /// The last sign-in was too long ago.
        locked() {
            En: "To change this you sign in again first.",
            De: "Um das zu ändern, melden Sie sich zuerst noch einmal an.",
        }
        /// On an address that nobody proved.
        unproved() { En: "not confirmed", De: "nicht bestätigt" }
        /// On a button.
        change() { En: "Change", De: "Ändern" }
        /// On a field.
        instead_of(old) { En: "Instead of {old}", De: "Statt {old}" }
        /// On what opens a form.
        add_email() { En: "Add an e-mail address", De: "E-Mail-Adresse hinzufügen" }
        /// On what opens a form.
        add_phone() { En: "Add a telephone number", De: "Telefonnummer hinzufügen" }
        /// On a field.
        new_email() { En: "New e-mail address", De: "Neue E-Mail-Adresse" }
        /// On a field.
        new_phone() { En: "New number, with country code", De: "Neue Nummer, mit Ländervorwahl" }
        /// On a button.
        send_code() { En: "Send a code", De: "Code senden" }
        /// A code is on its way.
        code_sent(to) {
            En: "A code is on its way to {to}. It is good for ten minutes, in this browser.",
            De: "Ein Code ist unterwegs an {to}. Er gilt zehn Minuten, in diesem Browser.",
        }
        /// On a field.
        code_label() { En: "Code, 6 digits", De: "Code, 6 Ziffern" }
        /// On a button.
        confirm() { En: "Confirm", De: "Bestätigen" }
        /// A part of the page.
        data_title() { En: "Your data", De: "Ihre Daten" }
        /// What a copy is.
        copy_hint() {
            En: "A file with all that is kept of you here, without what would let somebody sign in.",
            De: "Eine Datei mit allem, was hier über Sie gespeichert ist, ohne das, womit man sich anmelden könnte.",
        }
        /// On a button.
        copy() { En: "Download a copy", De: "Kopie herunterladen" }
        /// On what opens a form.
        erase_title() { En: "Delete your account", De: "Ihr Konto löschen" }
        /// What that means.
        erase_hint() {
            En: "Everything that is kept of you here is deleted at once: addresses, ways to sign in, what you allowed apps. You are signed out everywhere, and nobody, neither you nor we, can bring it back. What apps keep themselves isn't touched.",
            De: "Alles, was hier über Sie gespeichert ist, wird sofort gelöscht: Adressen, Wege zur Anmeldung, was Sie Apps erlaubt haben. Sie werden überall abgemeldet, und niemand, weder Sie noch wir, kann es zurückholen. Was Apps selbst speichern, bleibt dort.",
        }
        /// On a field.
        erase_label(known_as) { En: "To confirm, type {known_as}", De: "Zur Bestätigung geben Sie {known_as} ein" }
        /// On a button.
        erase() { En: "Delete my account for good", De: "Mein Konto endgültig löschen" }
        /// After it.
        erased_title() { En: "Your account is deleted", De: "Ihr Konto ist gelöscht" }
        /// What that means.
        erased() {
            En: "Nothing is kept of it here, and you are signed out everywhere.",
            De: "Hier ist nichts mehr davon gespeichert, und Sie sind überall abgemeldet.",
        }
        /// It wasn't an address.
        no_address() {
            En: "This is not an e-mail address. Please check it.",
            De: "Das ist keine E-Mail-Adresse. Bitte prüfen Sie sie.",
        }
        /// It wasn't a number.
        no_number() {
            En: "This is not a telephone number with a country code, like +1 555 123 4567. Please check it.",
            De: "Das ist keine Telefonnummer mit Ländervorwahl, wie +49 151 12345678. Bitte prüfen Sie sie.",
        }
        /// It is there already.
        yours() { En: "You are known by this already.", De: "Darunter sind Sie schon bekannt." }
        /// What it was about isn't there any more.
        gone() {
            En: "Nothing was changed: what was to be replaced isn't there any more.",
            De: "Es wurde nichts geändert: Was ersetzt werden sollte, gibt es nicht mehr.",
        }
        /// There is no way for mail.
        no_mail() { En: "We can't send mail here.", De: "Wir können hier keine E-Mails senden." }
        /// There is no way for text messages.
        no_sms() { En: "We can't send text messages here.", De: "Wir können hier keine SMS senden." }
        /// Too many for now.
        wait() {
            En: "That was too often. Wait a few minutes, then try again.",
            De: "Das war zu oft. Warten Sie einige Minuten und versuchen Sie es dann noch einmal.",
        }
        /// It wasn't the code.
        wrong_code() {
            En: "That was not the code. Look at the newest message and try again.",
            De: "Das war nicht der Code. Sehen Sie in die neueste Nachricht und versuchen Sie es noch einmal.",
        }
        /// There is no code that could be shown.
        code_over() {
            En: "This code can't be used any more. Ask for another.",
            De: "Dieser Code kann nicht mehr verwendet werden. Fordern Sie einen neuen an.",
        }
        /// Somebody else is known by it.
        taken() {
            En: "Another account is known by this already. Sign in to that one, and remove it there or delete that account.",
            De: "Darunter ist schon ein anderes Konto bekannt. Melden Sie sich bei jenem an, und ändern Sie es dort oder löschen Sie jenes Konto.",
        }
        /// The confirmation wasn't right.
        unconfirmed() {
            En: "Your account was not deleted: what you typed is not what it is known by.",
            De: "Ihr Konto wurde nicht gelöscht: Was Sie eingegeben haben, ist nicht das, worunter es bekannt ist.",
        }
    }
}
