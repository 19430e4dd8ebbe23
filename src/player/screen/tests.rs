use std::sync::Arc;

use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::*;
use crate::player::act::Key;
use crate::scenario::load;

fn screen(player: &Player, columns: u16, rows: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    terminal.draw(|frame| draw(frame, player)).unwrap();
    let buffer = terminal.backend().buffer();
    let line = |y| (0..columns).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    (0..rows).map(|y| line(y).trim_end().to_string() + "\n").collect()
}

fn player() -> Player {
    let text = include_str!("../../../scenarios/whoami-autorollback.yaml");
    Player::new(Arc::new(load(text).unwrap()))
}

#[test]
fn every_panel_fits_an_ordinary_terminal() {
    let mut player = player();
    player.press(Key::Char('f'));
    let mut shown = String::new();
    for _ in Panel::ALL {
        shown += &screen(&player, 80, 24);
        player.press(Key::Tab);
    }
    player.press(Key::Enter);
    shown += &screen(&player, 80, 24);
    player.press(Key::Escape);
    player.press(Key::Char('?'));
    shown += &screen(&player, 80, 24);
    insta::assert_snapshot!(shown);
}

#[test]
fn the_page_shows_a_real_screen() {
    let mut player = player();
    player.press(Key::Char('f'));
    let page = include_str!("../../../docs/play.md");
    assert!(
        page.contains(&screen(&player, 80, 24)),
        "docs/play.md lacks\n{}",
        screen(&player, 80, 24)
    );
    for (keys, what) in HELP.iter().chain(&ACTIONS).filter(|(keys, _)| !keys.is_empty()) {
        assert!(
            page.contains(&format!("| `{}` | {what} |", keys.replace('|', "\\|"))),
            "docs/play.md lacks `{keys}`: {what}"
        );
    }
}

#[test]
fn no_size_is_too_small_and_nothing_acts_on_the_terminal() {
    let text = "
name: odd
script:
- \"docker service create --name web --env X=\\e[2J --label a=\\r --replicas 40 a\\u202eb:1\"
- wait: 5s
";
    let mut player = Player::new(Arc::new(load(text).unwrap()));
    for _ in 0..40 {
        for (columns, rows) in [(1, 1), (3, 2), (20, 5), (80, 24), (200, 60)] {
            let shown = screen(&player, columns, rows);
            assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{shown:?}");
        }
        player.press(Key::Right);
        player.press(Key::Tab);
    }
}
