//! A user's own page: where they are signed in, and signing out there.

use std::sync::Arc;

use countersign_domain::{
    audit::{Act, Actor, AuditEntry, Subject},
    clock::Timestamp,
    generations::Generations,
    id::{BrowserSessionId, ClientId, SessionId, UserId},
    locale::Locale,
    session::EndReason,
    sign_in::Purpose,
};
use countersign_storage::{audit, browser_sessions, sessions, users};

use super::{
    Browser, Look, PageRefused, authorize::Authorized, contact::OwnContacts, factors::OwnFactors, locale_of, look,
    page::client_name, passkeys::OwnPasskeys, session::LiveBrowser,
};
use crate::{
    Service, address::Address, admin::Refused, caller::Caller, directory::ProjectView, error::Outage,
    session::end::Ending,
};

/// The most that are shown.
const MOST: u32 = 200;

/// The page.
pub struct AccountView {
    /// How it looks.
    pub look: Look,
    /// In which language it speaks.
    pub locale: Locale,
    /// Whose it is.
    pub known_as: String,
    /// What its forms must carry.
    pub form_token: String,
    /// Where they are signed in, the newest first.
    pub places: Vec<Place>,
    /// What they sign in with.
    pub passkeys: OwnPasskeys,
    /// What they show beside.
    pub factors: OwnFactors,
    /// What they are known by.
    pub contacts: OwnContacts,
    /// What they let apps of others know and do, the newest first.
    pub consents: Vec<Allowed>,
}

/// Where somebody is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its identifier: of a session, or of a browser session.
    pub id: String,
    /// The app; none: a browser.
    pub client: Option<String>,
    /// What it says it is, where it is known.
    pub agent: String,
    /// Is it this browser?
    pub is_here: bool,
    /// Since when.
    pub since: Timestamp,
}

/// An app that somebody allowed something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// Its client's identifier.
    pub client: String,
    /// What people call it.
    pub name: String,
    /// What it may know and do.
    pub scopes: Vec<String>,
    /// Since when.
    pub since: Timestamp,
}

/// What an account's page comes to.
pub enum Account {
    /// The page.
    Page(Box<AccountView>),
    /// Nobody is signed in here: a sign-in begins.
    SignIn(Authorized),
}

/// Somebody whose own page it is, in this browser.
pub(crate) struct Owner {
    pub(crate) project: Arc<ProjectView>,
    pub(crate) live: LiveBrowser,
}

impl Service {
    /// The page of whoever is signed in; who isn't, signs in.
    pub async fn account(
        &self,
        address: &Address,
        browser: Browser<'_>,
        caller: &Caller,
    ) -> Result<Account, PageRefused> {
        let project = self.page_project(address)?;
        let Some(live) = self.live_browser(&project, browser).await? else {
            let sign_in = self.new_sign_in(&project, Purpose::Account);
            return Ok(Account::SignIn(self.begin_in_browser(&project, sign_in, browser, caller).await?));
        };
        let user = live.session.user;
        Ok(Account::Page(Box::new(AccountView {
            look: look(&project),
            locale: locale_of(&[], browser),
            known_as: self.known_as(&project, user).await?,
            form_token: live.cookie.form_token(),
            places: self.places(&project, &live).await?,
            passkeys: self.own_passkeys(&project, &live).await?,
            factors: self.own_factors(&project, &live).await?,
            contacts: self.own_contacts(&project, &live).await?,
            consents: self.allowed(&project, user).await?,
        })))
    }

    async fn places(&self, project: &Arc<ProjectView>, live: &LiveBrowser) -> Result<Vec<Place>, Outage> {
        let (id, user, now) = (&project.project.id, live.session.user, self.now());
        let mut reader = self.db.reader().await?;
        let browsers = browser_sessions::list(&mut reader.conn(), id, user, now, MOST).await?;
        let apps = sessions::list_live(&mut reader.conn(), id, user, MOST).await?;
        let counter = users::find(&mut reader.conn(), id, user).await?.map_or(0, |user| user.generation);
        drop(reader);
        let current = Generations { user: counter, project: project.project.generation, ..Generations::default() };
        let browsers = browsers.into_iter().filter(|stored| stored.session.is_live(current, now)).map(|stored| Place {
            id: stored.session.id.to_string(),
            client: None,
            agent: stored.session.user_agent,
            is_here: stored.session.id == live.session.id,
            since: stored.session.created_at,
        });
        let is_alive = |session: &countersign_domain::session::Session| {
            let current = project.generations(counter, &session.client, session.vouched_by);
            session.over(now).is_none() && session.generations.overtaken_by(current).is_none()
        };
        let apps = apps.into_iter().filter(is_alive).map(|session| Place {
            id: session.id.to_string(),
            client: Some(client_name(project, &session.client)),
            agent: String::new(),
            is_here: false,
            since: session.created_at,
        });
        let mut places: Vec<Place> = browsers.chain(apps).collect();
        places.sort_by_key(|place| (!place.is_here, std::cmp::Reverse(place.since)));
        Ok(places)
    }

    async fn allowed(&self, project: &Arc<ProjectView>, user: UserId) -> Result<Vec<Allowed>, Outage> {
        let all = self.list_consents(&project.project.id, user).await?;
        let shown = all.into_iter().map(|consent| Allowed {
            name: client_name(project, &consent.client),
            client: consent.client.to_string(),
            scopes: consent.scope.iter().map(str::to_owned).collect(),
            since: consent.given_at,
        });
        Ok(shown.collect())
    }

    /// Takes back what an app may know and do. Nothing happens where it may nothing.
    pub async fn take_back_from_app(
        &self,
        address: &Address,
        client: &str,
        unverified_form_token: &str,
        browser: Browser<'_>,
        caller: &Caller,
    ) -> Result<(), PageRefused> {
        let owner = self.owner_of_form(address, unverified_form_token, browser).await?;
        let (project, user) = (&owner.project.project.id, owner.live.session.user);
        let Ok(client) = client.parse::<ClientId>() else { return Ok(()) };
        match self.take_consent_back(project, user, &client, Some(caller)).await {
            Err(Refused::Outage(outage)) => Err(outage.into()),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Whoever sends a form of the account's page.
    pub(crate) async fn owner_of_form(
        &self,
        address: &Address,
        unverified_form_token: &str,
        browser: Browser<'_>,
    ) -> Result<Owner, PageRefused> {
        let project = self.page_project(address)?;
        let live = self.live_browser(&project, browser).await?.ok_or(PageRefused::Over)?;
        if live.cookie.is_form_token(unverified_form_token) {
            Ok(Owner { project, live })
        } else {
            Err(PageRefused::Forged)
        }
    }

    /// Signs out somewhere: here, in another browser, or in an app. `true`: it was here.
    pub async fn sign_out_at(
        &self,
        address: &Address,
        place: &str,
        unverified_form_token: &str,
        browser: Browser<'_>,
        caller: &Caller,
    ) -> Result<bool, PageRefused> {
        let owner = self.owner_of_form(address, unverified_form_token, browser).await?;
        let user = owner.live.session.user;
        if let Ok(session) = place.parse::<SessionId>() {
            self.sign_out_of_app(&owner.project, user, session, caller).await?;
        } else if let Ok(id) = place.parse::<BrowserSessionId>() {
            self.sign_out_of_browser(&owner.project, user, id, caller).await?;
            return Ok(id == owner.live.session.id);
        }
        Ok(false)
    }

    async fn sign_out_of_browser(
        &self,
        project: &ProjectView,
        user: UserId,
        id: BrowserSessionId,
        caller: &Caller,
    ) -> Result<(), Outage> {
        let now = self.now();
        let entry = AuditEntry {
            project: project.project.id.clone(),
            id: self.audit_id(now),
            at: now,
            act: Act::BrowserSessionEnded,
            actor: Actor::User(user),
            subject: Subject { user: Some(user), ..Subject::default() },
            request: Some(caller.request_id.clone()),
            detail: vec![("browser_session", id.to_string())],
        };
        let entry = Arc::new(entry);
        let written = self.db.write(move |mut conn| {
            let entry = Arc::clone(&entry);
            Box::pin(async move {
                if browser_sessions::end(&mut conn, &entry.project, user, id, now).await? {
                    audit::insert_many(&mut conn, &[&entry]).await?;
                }
                Ok(())
            })
        });
        Ok(written.await?)
    }

    async fn sign_out_of_app(
        &self,
        project: &ProjectView,
        user: UserId,
        id: SessionId,
        caller: &Caller,
    ) -> Result<(), Outage> {
        let mut reader = self.db.reader().await?;
        let found = sessions::find(&mut reader.conn(), &project.project.id, id).await?;
        drop(reader);
        let theirs = found.map(|stored| stored.session).filter(|it| it.user == user && it.ended.is_none());
        let Some(session) = theirs else { return Ok(()) };
        let ending = Ending {
            reason: EndReason::SignedOut,
            actor: Actor::User(user),
            act: Act::SessionEnded,
            request: Some(caller.request_id.clone()),
        };
        self.end_session(&session, ending).await
    }
}
