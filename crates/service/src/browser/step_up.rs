//! A page of a sign-in for a step-up: what is left to prove, once it is known who it is.

use std::sync::Arc;

use super::{
    Browser, PageRefused,
    act::{Act, Acted, To},
    mistake::Mistake,
    page::Own,
};
use crate::{
    Service,
    caller::Caller,
    step_up::confirm::{ConfirmCall, Confirmed, Confirming},
};

impl Service {
    /// Whoever was to prove a change is known, just now.
    pub(super) async fn known_in_browser(
        &self,
        own: &Own,
        browser: Browser<'_>,
        caller: &Caller,
    ) -> Result<Acted, PageRefused> {
        let (project, visit, live) = (Arc::clone(&own.project), own.visit.clone(), own.live.clone());
        let id = own.kept.sign_in.id;
        let kept = self.find_sign_in(&project, id, &visit.handle(id)).await?.ok_or(PageRefused::Over)?;
        let known = Own { project, visit, kept, request: None, live };
        self.confirmed_in_browser(&known, Confirming::Begin, browser, caller).await
    }

    /// They do something.
    pub(super) async fn confirm_in_browser(
        &self,
        own: &Own,
        act: Act<'_>,
        browser: Browser<'_>,
        caller: &Caller,
    ) -> Result<Acted, PageRefused> {
        match act {
            Act::Code(code) => self.confirmed_in_browser(own, Confirming::Code(code), browser, caller).await,
            Act::Resend | Act::Second(_) => self.confirmed_in_browser(own, Confirming::Send, browser, caller).await,
            Act::Deny | Act::Cancel => self.turn_back(own, None, caller).await,
            _ => Ok(Acted::Asked(None)),
        }
    }

    async fn confirmed_in_browser(
        &self,
        own: &Own,
        confirming: Confirming<'_>,
        browser: Browser<'_>,
        caller: &Caller,
    ) -> Result<Acted, PageRefused> {
        let handle = own.visit.handle(own.kept.sign_in.id);
        let call = ConfirmCall {
            project: &own.project,
            kept: &own.kept,
            shown: handle,
            next: handle,
            locale: own.locale(browser),
            caller,
        };
        let confirmed = self.confirm_step_up(&call, confirming).await?.ok_or(PageRefused::Over)?;
        let back = own.back().ok_or(PageRefused::Over)?;
        Ok(match confirmed {
            Confirmed::Receipt(receipt) => Acted::Done { cookie: None, to: To::Client(back.with_receipt(&receipt)) },
            Confirmed::Left(_, hint) => Acted::Asked(hint.map(Mistake::from)),
        })
    }
}
