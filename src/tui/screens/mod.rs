//! The screens, one folder each. Only this file names all of them: screens refer to each other by their routes.

mod configure;
mod form;
mod mail_test;
mod profiles;
mod save_profile;
mod sign_in;
mod tokens;
mod trace;

use ratatui::layout::Rect;

pub(super) use self::form::SAVE_LABEL;
use super::screen::{AnyScreen, Route, Screen, ViewContext};
use super::widgets::draw::Body;

/// Returns a new screen for a route.
pub(super) fn open(route: Route, cx: ViewContext<'_>) -> Box<dyn AnyScreen> {
    match route {
        Route::Form(_) => Box::new(form::Form::new(cx)),
        Route::SignIn => Box::new(sign_in::SignIn::new()),
        Route::Tokens => Box::new(tokens::Tokens::new()),
        Route::Trace => Box::new(trace::Trace::new()),
        Route::Configure => Box::new(configure::Configure::new()),
        Route::MailTest => Box::new(mail_test::MailTest::new()),
        Route::Profiles => Box::new(profiles::Profiles::new()),
        Route::SaveProfile(from) => Box::new(save_profile::SaveProfile::new(from, cx)),
    }
}

/// Returns the body next to the form on a wide page: the tokens, the sign-in, or what Authorize will do.
pub(super) fn beside_form(cx: ViewContext<'_>, area: Rect, page: u16) -> Body {
    if cx.session.tokens.is_some() {
        Screen::body(&tokens::Tokens::new(), cx, area, page)
    } else if cx.session.sign_in().is_some() {
        Screen::body(&sign_in::SignIn::new(), cx, area, page)
    } else {
        form::prospect(cx, area.width)
    }
}
