//! The whole program without a terminal: each state of each screen, by its name, made from data.
//!
//! A fixture is made as a person would come there: keys, pastes and news of a flow go to `update`, and what it wants
//! done is played by stand-ins. Every test of the screens goes through the one list of `all`.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use oauth_authorizer::certificate::About;
use oauth_authorizer::configure::report::{Finding, Report, State, Work};
use oauth_authorizer::configure::service::Rights;
use oauth_authorizer::configure::steps;
use oauth_authorizer::console::clipboard::{By, Copied, Missed, Way};
use oauth_authorizer::console::environment::{Environment, Ssh};
use oauth_authorizer::flow::event::{FlowError, FlowEvent, Step};
use oauth_authorizer::flow::http::HttpError;
use oauth_authorizer::flow::listener::Stray;
use oauth_authorizer::flow::redact::Secrets;
use oauth_authorizer::flow::trace::Exchange;
use oauth_authorizer::form::settings::{Key, Settings};
use oauth_authorizer::oauth::answer::Answer;
use oauth_authorizer::oauth::check::{Check, CheckName, Outcome};
use oauth_authorizer::oauth::client::Request;
use oauth_authorizer::oauth::device::Note;
use oauth_authorizer::oauth::failure::{Asked, Failure, ServerError};
use oauth_authorizer::oauth::token::TokenSet;
use oauth_authorizer::presets::{self, Library};
use oauth_authorizer::tui::model::{
    Action, Effect, Model, Moment, Msg, News, Screen, Shown, Target, Ticket, Value,
};
use oauth_authorizer::tui::update::update;
use oauth_authorizer::tui::view::view;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Position;

use crate::configure::StandIn;

/// A screen as it was drawn.
pub struct Drawn {
    pub buffer: Buffer,
    pub cursor: Option<Position>,
}

impl Drawn {
    /// Its rows as text, with what stands right of the last glyph cut off.
    pub fn rows(&self) -> Vec<String> {
        self.part(0, self.buffer.area.width)
    }

    /// The same from one column to another.
    pub fn part(&self, from: u16, to: u16) -> Vec<String> {
        let columns = usize::from(self.buffer.area.width).max(1);
        let row = |cells: &[ratatui::buffer::Cell]| {
            let mut line = String::new();
            let mut covered = 0;
            for cell in cells {
                // A wide character covers the cell behind it.
                if covered > 0 {
                    covered -= 1;
                    continue;
                }
                covered = oauth_authorizer::tui::text::width(cell.symbol()).saturating_sub(1);
                line.push_str(cell.symbol());
            }
            line.trim_end().to_owned()
        };
        let part = usize::from(from)..usize::from(to);
        let rows = self.buffer.content.chunks(columns);
        rows.map(|cells| row(&cells[part.clone()])).collect()
    }

    /// All of it, a line for a row.
    pub fn text(&self) -> String {
        self.rows().join("\n")
    }
}

/// The program but its terminal and its effects.
pub struct App {
    pub model: Model,
    /// The HTTP service of a Windows machine.
    service: StandIn,
    /// What Configure… finds on another machine.
    findings: Vec<Finding>,
    up: Duration,
}

impl App {
    /// On the form, with this preset.
    pub fn new(environment: Environment, preset: &str) -> Self {
        let custom = presets::get(presets::CUSTOM).unwrap();
        let mut settings = Settings::new(presets::get(preset).unwrap());
        settings.set_server("http://127.0.0.1:46321");
        let model = Model::new(environment, settings, custom, Library::default());
        Self {
            model,
            service: StandIn::new(Rights::Elevated),
            findings: vec![
                Finding::new(
                    State::Good,
                    "Port 8400 of 127.0.0.1 is free, and this user may listen there.",
                ),
                Finding::new(
                    State::Wrong,
                    "Port 8400 of ::1 is taken by python3.11 (process 4711). End it, or take another port.",
                ),
            ],
            up: Duration::ZERO,
        }
    }

    /// Something happens, now; says what is to be done in the real world.
    pub fn send(&mut self, what: News) -> Vec<Effect> {
        let seconds = self.up.as_secs() + 7;
        let part = |seconds: u64| i8::try_from(seconds % 60).unwrap();
        let at = Moment {
            up: self.up,
            clock: (12, 1 + part(seconds / 60), part(seconds)),
        };
        let mut left = Vec::new();
        for effect in update(&mut self.model, Msg { at, what }) {
            match effect {
                Effect::Configure(task, number) => {
                    let report = if self.model.environment.windows {
                        steps::perform(&task, &mut self.service)
                    } else {
                        Report::of(self.findings.clone())
                    };
                    self.send(News::Configured(number, Box::new(report), Box::default()));
                }
                other => left.push(other),
            }
        }
        left
    }

    /// Time goes by.
    pub fn after(&mut self, seconds: u64) {
        self.up += Duration::from_secs(seconds);
        self.send(News::Tick);
    }

    pub fn press(&mut self, code: KeyCode) -> Vec<Effect> {
        self.send(News::Key(KeyEvent::new(code, KeyModifiers::NONE)))
    }

    pub fn typed(&mut self, text: &str) {
        for ch in text.chars() {
            self.press(KeyCode::Char(ch));
        }
    }

    /// Moves the focus by Tab, as everything is reachable so.
    pub fn focus(&mut self, target: Target) {
        for _ in 0..80 {
            if self.model.focus == target {
                return;
            }
            self.press(KeyCode::Tab);
        }
        panic!("{target:?} is not reachable");
    }

    /// Presses Enter on an item.
    pub fn act(&mut self, target: Target) -> Vec<Effect> {
        self.focus(target);
        self.press(KeyCode::Enter)
    }

    pub fn button(&mut self, action: Action) -> Vec<Effect> {
        self.act(Target::Button(action))
    }

    pub fn fill(&mut self, key: Key, text: &str) {
        self.focus(Target::Field(key));
        self.send(News::Paste(text.to_owned()));
    }

    /// News of the latest attempt.
    pub fn flow(&mut self, event: FlowEvent) -> Vec<Effect> {
        self.send(News::Flow(self.model.attempt, event))
    }

    /// The screen in a window of this size.
    pub fn draw(&mut self, columns: u16, rows: u16) -> Drawn {
        self.send(News::Resized(columns, rows));
        self.look()
    }

    /// The screen as it is.
    pub fn look(&self) -> Drawn {
        let (columns, rows) = self.model.size;
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        let model = &self.model;
        let mut cursor = None;
        terminal
            .draw(|frame| {
                view(model, frame);
            })
            .unwrap();
        let backend = terminal.backend_mut();
        if backend.cursor_visible() {
            cursor = Some(backend.cursor_position());
        }
        Drawn {
            buffer: backend.buffer().clone(),
            cursor,
        }
    }
}

/// A terminal of the person, as the environment tells of it.
#[derive(Clone, Copy)]
pub struct Place {
    pub name: &'static str,
    variables: &'static [(&'static str, &'static str)],
    windows: bool,
}

/// The terminals that people have.
pub const PLACES: [Place; 6] = [
    Place {
        name: "xterm-256color",
        variables: &[("TERM", "xterm-256color"), ("LANG", "C.UTF-8")],
        windows: false,
    },
    Place {
        name: "tmux-256color",
        variables: &[
            ("TERM", "tmux-256color"),
            ("LANG", "C.UTF-8"),
            ("TMUX", "/tmp/tmux-1000/default,1,0"),
            ("SSH_CONNECTION", "192.0.2.7 50022 192.0.2.1 22"),
        ],
        windows: false,
    },
    Place {
        name: "screen",
        variables: &[
            ("TERM", "screen"),
            ("LANG", "C.UTF-8"),
            ("STY", "1234.pts-0.host"),
            ("SSH_CONNECTION", "192.0.2.7 50022 192.0.2.1 22"),
        ],
        windows: false,
    },
    Place {
        name: "linux",
        variables: &[("TERM", "linux"), ("LANG", "C.UTF-8")],
        windows: false,
    },
    Place {
        name: "vt100",
        variables: &[("TERM", "vt100"), ("LANG", "C")],
        windows: false,
    },
    Place {
        name: "Windows console",
        variables: &[("SESSIONNAME", "Console"), ("LANG", "C.UTF-8")],
        windows: true,
    },
];

impl Place {
    pub fn environment(self) -> Environment {
        let mut environment = Environment::read(
            |name| {
                let found = self.variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            },
            None,
        );
        if self.windows {
            environment.windows = true;
            "CONTOSO\\Administrator".clone_into(&mut environment.user);
        }
        environment
    }
}

/// A state of a screen.
pub struct Fixture {
    pub name: &'static str,
    make: fn(Environment) -> App,
}

impl Fixture {
    /// The program in this state.
    pub fn app(&self, environment: Environment) -> App {
        (self.make)(environment)
    }
}

/// The fixture of this name.
pub fn named(name: &str) -> Fixture {
    let found = all().into_iter().find(|fixture| fixture.name == name);
    found.unwrap_or_else(|| panic!("no fixture is named {name}"))
}

/// Every state of every screen.
pub fn all() -> Vec<Fixture> {
    let mut all = Vec::new();
    let mut add = |name: &'static str, make: fn(Environment) -> App| {
        assert!(
            all.iter().all(|known: &Fixture| known.name != name),
            "{name}"
        );
        all.push(Fixture { name, make });
    };
    add("form-custom", |place| App::new(place, "custom"));
    add("form-preset", |place| {
        let mut app = App::new(place, "microsoft-mail");
        app.fill(Key::ClientId, CLIENT);
        app
    });
    add("form-demo", |place| App::new(place, "demo"));
    add("form-problems", |place| {
        let mut app = App::new(place, "custom");
        app.fill(Key::TokenUrl, "http://login.example.com/token");
        app.fill(Key::DeviceUrl, "login.example.com");
        app.fill(Key::ClientId, CLIENT);
        app
    });
    add("form-remedy", |place| {
        let mut app = App::new(place, "google");
        app.fill(Key::ClientId, CLIENT);
        app.fill(Key::Scope, " https://mail.google.com/");
        app
    });
    add("form-authorize-refused", |place| {
        let mut app = App::new(place, "custom");
        app.button(Action::Authorize);
        app
    });
    add("form-advanced", |place| {
        let mut app = App::new(place, "custom");
        app.act(Target::Advanced);
        app.focus(Target::Field(Key::ClientAuthentication));
        app
    });
    add("form-advanced-last", |place| {
        let mut app = App::new(place, "custom");
        by_browser(&mut app);
        app.fill(Key::RedirectUrl, "https://localhost:8443/callback");
        app.act(Target::Advanced);
        app.focus(Target::Button(Action::Authorize));
        app.press(KeyCode::BackTab);
        app
    });
    add("form-long", |place| {
        let mut app = App::new(place, "custom");
        for key in [Key::Scope, Key::ClientSecret, Key::TokenUrl] {
            app.fill(
                key,
                &format!("https://login.example.com/{}", "longer/".repeat(60)),
            );
        }
        app.press(KeyCode::Home);
        app
    });
    add("form-long-end", |place| {
        let mut app = App::new(place, "custom");
        app.fill(Key::ClientId, &"0123456789".repeat(40));
        app
    });
    add("form-wide-characters", |place| {
        let mut app = App::new(place, "custom");
        app.fill(Key::ClientId, WIDE);
        app.fill(Key::Scope, &WIDE.repeat(9));
        app.focus(Target::Field(Key::ClientId));
        app
    });
    add("form-issuer", |place| {
        let mut app = App::new(place, "custom");
        app.act(Target::Advanced);
        app.fill(Key::Issuer, "https://login.example.com");
        app.focus(Target::Discover);
        app
    });
    add("form-secret-shown", |place| {
        let mut app = App::new(place, "custom");
        app.fill(Key::ClientSecret, "s3cret-of-the-client");
        app.act(Target::ShowSecret);
        app
    });
    add("form-authorization-code", |place| {
        let mut app = App::new(place, "microsoft-mail");
        app.fill(Key::ClientId, CLIENT);
        by_browser(&mut app);
        app
    });
    add("form-demo-failed", |place| {
        let mut app = App::new(place, "demo");
        app.send(News::Demo(Err("no port is free".to_owned())));
        app
    });
    add("form-discovering", |place| {
        let mut app = App::new(place, "keycloak");
        app.fill(Key::Var(0), "sso.example.com");
        app.fill(Key::Var(1), "staff");
        app.button(Action::Discover);
        app
    });
    add("form-with-tokens", |place| {
        let mut app = tokens(place);
        app.button(Action::Settings);
        app
    });
    add("form-cancelled", |place| {
        let mut app = device(place, false);
        app.press(KeyCode::Esc);
        app
    });

    add("flow-starting", starting);
    add("device", |place| device(place, false));
    add("device-complete-url", |place| device(place, true));
    add("device-chosen-url", |place| {
        let mut app = device(place, true);
        app.focus(Target::Shown(Shown::Url));
        app
    });
    add("device-slow-down", |place| {
        let mut app = device(place, true);
        app.after(785);
        app.flow(FlowEvent::Polled {
            times: 131,
            note: Note::SlowDown,
        });
        app
    });
    add("device-trouble", |place| {
        let mut app = device(place, false);
        app.after(870);
        app.flow(FlowEvent::Polled {
            times: 4,
            note: Note::Trouble(
                "login.microsoftonline.com:443 answered with a page of HTML (HTTP status 502)"
                    .to_owned(),
            ),
        });
        app
    });
    add("device-long-url", |place| {
        let mut app = starting(place);
        app.flow(FlowEvent::DeviceCode {
            user_code: "日本-WDJB-MJHT".to_owned(),
            verification_uri: format!("https://login.example.com/{}", "device/".repeat(30))
                .parse()
                .unwrap(),
            complete: None,
            expires_in: Duration::from_mins(15),
        });
        app
    });
    add("device-demo", |place| {
        let mut app = App::new(place, "demo");
        app.button(Action::Authorize);
        steps(
            &mut app,
            &[(Step::DeviceCode, Some(3)), (Step::Approval, None)],
        );
        app.flow(FlowEvent::DeviceCode {
            user_code: "WDJB-MJHT".to_owned(),
            verification_uri: "http://127.0.0.1:46321/device".parse().unwrap(),
            complete: Some(
                "http://127.0.0.1:46321/device?user_code=WDJB-MJHT"
                    .parse()
                    .unwrap(),
            ),
            expires_in: Duration::from_mins(15),
        });
        app
    });
    add("device-copied", |place| {
        let mut app = device(place, true);
        app.send(News::Copied(
            CODE,
            copied(Some(By::Terminal("".into())), ""),
        ));
        app
    });
    add("device-not-copied", |place| {
        let mut app = device(place, true);
        app.send(News::Copied(
            CODE,
            copied(None, "the desktop's clipboard did not answer"),
        ));
        app
    });

    add("code", |place| browser(place, None));
    add("code-certificate", |place| {
        browser(
            place,
            Some(About {
                fingerprint: (0..32)
                    .map(|at| format!("{at:02X}"))
                    .collect::<Vec<_>>()
                    .join(":"),
                self_made: true,
                last_day: "2027-03-01".to_owned(),
            }),
        )
    });
    add("code-paste-box", |place| {
        let mut app = browser(place, None);
        app.focus(Target::Paste);
        app.send(News::Paste(
            "http://localhost:8400/?code=M.C546_BAY.2.U.42&state=uH5-3aZ&session_state=9"
                .to_owned(),
        ));
        app
    });
    add("code-paste-refused", |place| {
        let mut app = browser(place, None);
        app.focus(Target::Paste);
        app.flow(FlowEvent::PasteRefused(
            "its state is not the one of this sign-in".to_owned(),
        ));
        app
    });
    add("code-paste-lost", |place| {
        let mut app = browser(place, None);
        app.send(News::PasteLost);
        app
    });
    add("code-strays", |place| {
        let mut app = browser(place, None);
        app.flow(FlowEvent::Stray(Stray::Path));
        app.flow(FlowEvent::Stray(Stray::Connection));
        app.flow(FlowEvent::NotOurs("the state does not match".to_owned()));
        app.flow(FlowEvent::Trouble(
            "login.microsoftonline.com:443 did not answer in time.".to_owned(),
        ));
        app
    });
    add("code-not-listening", |place| {
        let mut app = browser_starting(place);
        app.flow(FlowEvent::SignIn {
            url: sign_in(3),
            redirect_url: "https://sso.example.com/callback".parse().unwrap(),
            listening: Vec::new(),
            certificate: None,
        });
        app
    });
    add("code-no-browser", |place| {
        let mut app = browser(place, None);
        let attempt = app.model.attempt;
        app.send(News::Browser(
            attempt,
            Err("xdg-open: not found".to_owned()),
        ));
        app
    });

    add("failed-denied", |place| {
        let mut app = device(place, false);
        app.after(42);
        app.flow(FlowEvent::Failed(FlowError::Protocol(Failure::Denied {
            polled: true,
            error: ServerError::new("access_denied", Some("The user said no.")),
        })));
        app
    });
    add("failed-expired", |place| {
        let mut app = device(place, false);
        app.after(900);
        app.flow(FlowEvent::Failed(FlowError::Protocol(Failure::Expired)));
        app
    });
    add("failed-explained", |place| {
        failed(
            place,
            "AADSTS700016: Application with identifier '11111111-2222-3333-4444-555555555555' was not found in the \
             directory 'Contoso'. Trace ID: 00000000-0000-0000-0000-000000000000",
        )
    });
    add("failed-without-field", |place| {
        failed(
            place,
            "AADSTS7000218: The request body must contain the following parameter: 'client_assertion' or \
             'client_secret'.",
        )
    });
    add("failed-unexplained", |place| {
        let mut app = starting(place);
        app.flow(FlowEvent::Failed(FlowError::Http(HttpError::Unreachable {
            host: "login.microsoftonline.com:443".to_owned(),
            cause: "connection refused".to_owned(),
        })));
        app
    });

    add("tokens", tokens);
    add("tokens-without-refresh", |place| {
        let mut app = device(place, false);
        app.flow(FlowEvent::Tokens(Box::new(TokenSet {
            access_token: "ya29.0123456789abcdefghijklmnopqrstuvwxyz".into(),
            expires_in: None,
            refresh_token: None,
            id_token: None,
            scope: Some(vec!["openid".to_owned()]),
            ..token_set()
        })));
        app
    });
    add("tokens-chosen-refresh", |place| {
        let mut app = tokens(place);
        app.focus(Target::Value(Value::Refresh));
        app
    });
    add("tokens-revealed", |place| {
        let mut app = tokens(place);
        app.button(Action::Reveal);
        app
    });
    add("tokens-last-minute", |place| {
        let mut app = tokens(place);
        app.after(3555);
        app
    });
    add("tokens-expired", |place| {
        let mut app = tokens(place);
        app.after(4000);
        app
    });
    add("tokens-refreshing", |place| {
        let mut app = tokens(place);
        app.button(Action::Refresh);
        app
    });
    add("tokens-refreshed", |place| {
        let mut app = tokens(place);
        app.button(Action::Refresh);
        app.after(2);
        app.flow(FlowEvent::Check(Check::new(
            CheckName::RefreshToken,
            Outcome::Passed,
            "a new one came and replaced the old one",
        )));
        app.flow(FlowEvent::Tokens(Box::new(token_set())));
        app
    });
    add("tokens-refresh-failed", |place| {
        let mut app = tokens(place);
        app.button(Action::Refresh);
        app.flow(FlowEvent::Failed(FlowError::Protocol(Failure::Server {
            asked: Asked::Refresh,
            error: ServerError::new("invalid_grant", Some("Token has been expired or revoked.")),
        })));
        app
    });

    add("trace", traced);
    add("trace-end", |place| {
        let mut app = traced(place);
        for _ in 0..40 {
            app.press(KeyCode::PageDown);
        }
        app
    });
    add("trace-empty", |place| {
        let mut app = starting(place);
        app.button(Action::Trace);
        app
    });

    add("help", |place| {
        let mut app = App::new(place, "microsoft-mail");
        app.button(Action::Help);
        app
    });
    add("help-of-flow", |place| {
        let mut app = device(place, true);
        app.button(Action::Help);
        app.press(KeyCode::PageDown);
        app
    });
    add("about", |place| {
        let mut app = App::new(place, "microsoft-mail");
        app.button(Action::About);
        app
    });
    add("presets", |place| {
        let mut app = App::new(place, "custom");
        app.act(Target::Field(Key::Preset));
        app
    });
    add("presets-filtered", |place| {
        let mut app = App::new(place, "custom");
        app.act(Target::Field(Key::Preset));
        app.typed("mail");
        app.press(KeyCode::Down);
        app
    });
    add("presets-none", |place| {
        let mut app = App::new(place, "custom");
        app.act(Target::Field(Key::Preset));
        app.send(News::Paste(
            "nobody has heard of this service, whatever its name ".repeat(3),
        ));
        app
    });
    add("scopes", |place| {
        let mut app = App::new(place, "microsoft-mail");
        app.act(Target::ScopeList);
        app.press(KeyCode::Down);
        app
    });
    add("save-trace", |place| {
        let mut app = traced(place);
        app.button(Action::SaveTrace);
        app.send(News::Paste("/a/long/way/to/the/folder".repeat(6)));
        app
    });
    add("save-token", |place| {
        let mut app = tokens(place);
        app.button(Action::SaveTokens);
        app
    });
    add("save-json", |place| {
        let mut app = tokens(place);
        app.button(Action::SaveTokens);
        app.press(KeyCode::Tab);
        app
    });
    // Where it cannot be shown, the reason is.
    add("qr", |place| {
        let mut app = device(place, true);
        app.button(Action::QrCode);
        app
    });
    add("qr-without-code", |place| {
        let mut app = device(place, false);
        app.button(Action::QrCode);
        app
    });
    add("code-over-ssh", |place| browser(over_ssh(place), None));
    add("code-over-ssh-refused", |place| {
        let mut app = browser(over_ssh(place), None);
        app.flow(FlowEvent::NotOurs(
            "its state is not the one that was sent".to_owned(),
        ));
        app
    });
    add("leave", |place| {
        let mut app = tokens(place);
        let event = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        app.send(News::Key(event));
        app
    });
    add("scrollback", |place| {
        let mut app = tokens(place);
        app.send(News::Resized(40, 10));
        app.button(Action::PlainValue);
        app
    });

    add("configure", |place| {
        configure(place, "http://localhost:8400/callback")
    });
    add("configure-https", |place| {
        configure(place, "https://localhost:8443/callback")
    });
    add("configure-done", |place| {
        let mut app = configure(place, "https://localhost:8443/callback");
        if app.model.environment.windows {
            app.act(Target::CertificateList);
            app.press(KeyCode::Enter);
        }
        app.button(Action::Work(Work::SetUp));
        app
    });
    add("configure-certificates", |place| {
        let mut app = configure(place, "https://localhost:8443/callback");
        if app.model.environment.windows {
            app.act(Target::CertificateList);
        }
        app
    });
    add("configure-user", |place| {
        let mut app = configure(place, "http://localhost:8400/callback");
        if app.model.environment.windows {
            app.focus(Target::User);
            app.send(News::Paste("Jürgen Groß ".repeat(20)));
        }
        app
    });
    add("configure-delete", |place| {
        let mut app = configure(place, "https://localhost:8443/callback");
        app.button(Action::Work(Work::Delete));
        app
    });
    add("configure-wrong-url", |place| configure(place, "localhost"));
    all
}

const CLIENT: &str = "11111111-2222-3333-4444-555555555555";
const WIDE: &str = "日本語のクライアント";
/// How a copy came out that the desktop did not take, where a reason is given.
pub fn copied(by: Option<By>, why: &str) -> Copied {
    let missed = Missed {
        way: Way::Desktop,
        why: why.to_owned(),
    };
    Copied {
        by,
        missed: (!why.is_empty()).then_some(missed).into_iter().collect(),
    }
}

const CODE: Ticket = Ticket {
    name: "code",
    tokens_of: None,
    instead: "The plain view shows it alone, to be selected.",
};

/// Chooses the authorization code flow, where it is not chosen.
fn by_browser(app: &mut App) {
    use oauth_authorizer::oauth::client::FlowKind;
    if app.model.settings.flow() != FlowKind::AuthorizationCode {
        app.focus(Target::Field(Key::Flow));
        app.press(KeyCode::Right);
    }
}

fn by_device(app: &mut App) {
    use oauth_authorizer::oauth::client::FlowKind;
    if app.model.settings.flow() != FlowKind::DeviceCode {
        app.focus(Target::Field(Key::Flow));
        app.press(KeyCode::Right);
    }
}

/// Steps of a run, each with the milliseconds that it took.
fn steps(app: &mut App, steps: &[(Step, Option<u64>)]) {
    for (step, took) in steps {
        app.flow(FlowEvent::Began(*step));
        if let Some(took) = took {
            app.flow(FlowEvent::Done(Duration::from_millis(*took)));
        }
    }
}

fn starting(place: Environment) -> App {
    let mut app = App::new(place, "microsoft-mail");
    app.fill(Key::ClientId, CLIENT);
    by_device(&mut app);
    app.button(Action::Authorize);
    assert_eq!(app.model.screen, Screen::Flow);
    app.flow(FlowEvent::Began(Step::DeviceCode));
    app
}

/// The device flow, waiting for the person.
pub fn device(place: Environment, complete: bool) -> App {
    let mut app = starting(place);
    device_code(&mut app, complete);
    app
}

/// The service gives out a code.
pub fn device_code(app: &mut App, complete: bool) {
    app.flow(FlowEvent::Done(Duration::from_millis(182)));
    app.flow(FlowEvent::Check(Check::new(
        CheckName::Tls,
        Outcome::Passed,
        "the endpoints are asked over TLS",
    )));
    let complete = complete.then(|| {
        "https://microsoft.com/devicelogin?user_code=WDJB-MJHT"
            .parse()
            .unwrap()
    });
    app.flow(FlowEvent::DeviceCode {
        user_code: "WDJB-MJHT".to_owned(),
        verification_uri: "https://microsoft.com/devicelogin".parse().unwrap(),
        complete,
        expires_in: Duration::from_mins(15),
    });
    app.flow(FlowEvent::Began(Step::Approval));
}

/// The service refuses to give out a device code.
fn failed(place: Environment, description: &str) -> App {
    let mut app = starting(place);
    app.flow(FlowEvent::Failed(FlowError::Protocol(Failure::Server {
        asked: Asked::DeviceCode,
        error: ServerError::new("invalid_client", Some(description)),
    })));
    app
}

pub fn sign_in(scopes: usize) -> url::Url {
    let scope = "https://outlook.office.com/IMAP.AccessAsUser.All+".repeat(scopes);
    format!(
        "https://login.microsoftonline.com/common/oauth2/v2.0/authorize?response_type=code&client_id={CLIENT}\
         &state=uH5-3aZq0Yw1nXo2&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM\
         &code_challenge_method=S256&redirect_uri=http%3A%2F%2Flocalhost%3A8400%2F&scope={scope}offline_access"
    )
    .parse()
    .unwrap()
}

fn browser_starting(place: Environment) -> App {
    let mut app = App::new(place, "microsoft-mail");
    app.fill(Key::ClientId, CLIENT);
    by_browser(&mut app);
    app.button(Action::Authorize);
    assert_eq!(app.model.screen, Screen::Flow);
    steps(&mut app, &[(Step::Listen, Some(2)), (Step::SignIn, None)]);
    app
}

/// The same place, reached from another machine.
fn over_ssh(place: Environment) -> Environment {
    Environment {
        ssh: Some(Ssh {
            server: Some("198.51.100.7:2222".parse().unwrap()),
            login: Some("administrator".to_owned()),
        }),
        display: false,
        ..place
    }
}

/// The authorization code flow, waiting for the browser's return.
pub fn browser(place: Environment, certificate: Option<About>) -> App {
    let mut app = browser_starting(place);
    app.flow(FlowEvent::SignIn {
        url: sign_in(1),
        redirect_url: "http://localhost:8400/".parse().unwrap(),
        listening: vec!["127.0.0.1:8400".to_owned(), "[::1]:8400".to_owned()],
        certificate: certificate.map(Box::new),
    });
    app
}

/// A token of three parts, whose middle says who signed in. Its signature is none.
fn id_token() -> String {
    use base64::Engine;
    let part = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    let claims = format!(
        r#"{{"iss":"https://login.microsoftonline.com/common/v2.0","aud":"{CLIENT}","sub":"a1b2c3",
            "preferred_username":"alice@example.com","name":"Alice Example","exp":1764072067}}"#
    );
    let head = part(r#"{"alg":"RS256","typ":"JWT"}"#);
    format!("{head}.{}.{}", part(&claims), "c2lnbmF0dXJl".repeat(20))
}

pub fn token_set() -> TokenSet {
    TokenSet {
        access_token: format!("eyJ0eXAiOiJKV1Qi.{}", "TG9yZW0gaXBzdW0g".repeat(74)).into(),
        token_type: "Bearer".to_owned(),
        expires_in: Some(3599),
        refresh_token: Some(format!("0.AXsA{}", "q8Zr3Vn0".repeat(120)).into()),
        id_token: Some(id_token().into()),
        scope: None,
        kept: Vec::new(),
        token_url: None,
        redirect_url: None,
    }
}

/// The tokens of a device flow.
pub fn tokens(place: Environment) -> App {
    let mut app = device(place, false);
    app.after(31);
    app.flow(FlowEvent::Polled {
        times: 5,
        note: Note::Pending,
    });
    exchange_of_tokens(&mut app);
    app
}

/// The person has approved.
pub fn exchange_of_tokens(app: &mut App) {
    app.flow(FlowEvent::Done(Duration::from_secs(31)));
    for (name, outcome, detail) in [
        (
            CheckName::IdToken,
            Outcome::Passed,
            "issuer, audience and expiry fit; the signature is not verified",
        ),
        (CheckName::Scope, Outcome::Passed, "granted in full"),
        (CheckName::RefreshToken, Outcome::Passed, "there is one"),
    ] {
        app.flow(FlowEvent::Check(Check::new(name, outcome, detail)));
    }
    exchange(app);
    app.flow(FlowEvent::Tokens(Box::new(token_set())));
    assert_eq!(app.model.screen, Screen::Tokens);
}

/// An exchange for the trace.
fn exchange(app: &mut App) {
    let request = Request {
        url: "https://login.microsoftonline.com/common/oauth2/v2.0/token".parse().unwrap(),
        authorization: None,
        body: format!(
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code={}&client_id={CLIENT}",
            "DAQABIQ".repeat(20)
        )
        .into(),
    };
    let pending = r#"{"error":"authorization_pending","error_description":"AADSTS70016: The code has not been used yet.","interval":5}"#;
    let granted = format!(
        r#"{{"token_type":"Bearer","scope":"openid offline_access","expires_in":3599,"access_token":"{}","refresh_token":"{}"}}"#,
        "eyJ0".repeat(300),
        "0.AX".repeat(230)
    );
    for (status, body, took) in [(400, pending, 141), (200, &*granted, 182)] {
        let answer = Answer {
            status,
            retry_after: None,
            headers: vec![
                (
                    "content-type".to_owned(),
                    "application/json; charset=utf-8".to_owned(),
                ),
                ("cache-control".to_owned(), "no-store".to_owned()),
            ],
            body: body.into(),
        };
        let took = Duration::from_millis(took);
        app.flow(FlowEvent::Exchange(Exchange::posted(
            &request,
            &Ok(answer),
            took,
            &Secrets::default(),
        )));
    }
}

fn traced(place: Environment) -> App {
    let mut app = tokens(place);
    app.button(Action::Trace);
    app
}

fn configure(place: Environment, url: &str) -> App {
    let mut app = App::new(place, "custom");
    by_browser(&mut app);
    app.model.settings.set(Key::RedirectUrl, url.to_owned());
    app.button(Action::Configure);
    assert_eq!(app.model.screen, Screen::Configure);
    app
}
