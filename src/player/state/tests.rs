use super::*;
use crate::scenario::load;
use crate::swarmkit::task::TaskState;

fn player() -> Player {
    let text = include_str!("../../../scenarios/whoami-autorollback.yaml");
    Player::new(Arc::new(load(text).unwrap()))
}

fn type_line(player: &mut Player, first: char, line: &str) -> Wish {
    player.press(Key::Char(first));
    for c in line.chars() {
        player.press(Key::Char(c));
    }
    player.press(Key::Enter)
}

#[test]
fn a_step_back_shows_what_was_there_before() {
    let mut player = player();
    let mut seen = Vec::new();
    while player.clock < player.future().end() {
        let future = player.future();
        let shown = (future.rows(player.clock).tasks(), future.terminal(player.clock));
        seen.push((player.clock, shown));
        player.press(Key::Right);
    }
    for (clock, shown) in seen.into_iter().rev() {
        player.press(Key::Left);
        let future = player.future();
        assert_eq!(player.clock, clock);
        assert_eq!((future.rows(clock).tasks(), future.terminal(clock)), shown);
    }
}

#[test]
fn a_moment_is_what_all_records_up_to_it_come_to() {
    let player = player();
    let future = player.future();
    for line in future.log.iter().step_by(7) {
        let mut rows = crate::render::rows::Rows::default();
        future.records.iter().take_while(|r| r.at <= line.at).for_each(|r| rows.take(r));
        assert_eq!(future.rows(line.at).tasks(), rows.tasks());
    }
}

#[test]
fn failures_are_found_and_explained() {
    let mut player = player();
    player.press(Key::Char('f'));
    let line = player.told()[player.chosen().unwrap()].clone();
    assert!(line.failure, "{line:?}");
    assert!(player.future().log.iter().take_while(|l| l.at < line.at).all(|l| !l.failure));
    player.press(Key::Enter);
    let Mode::Why(links, 0) = player.mode.clone() else { panic!("{:?}", player.mode) };
    assert!(links[0].contains("docker service"), "{links:?}");
    assert!(links.last().unwrap().contains(&line.text), "{links:?}");
    player.press(Key::Escape);
    assert_eq!(player.mode, Mode::Watching);
    while player.message.is_empty() {
        player.press(Key::Char('f'));
    }
    assert_eq!(player.message, "no failure from here on");
    player.press(Key::Char('F'));
    assert!(player.told()[player.chosen().unwrap()].failure);
}

#[test]
fn a_text_is_found() {
    let mut player = player();
    type_line(&mut player, '/', "rollback_started");
    assert!(player.told()[player.chosen().unwrap()].text.contains("rollback_started"));
    type_line(&mut player, '/', "no such thing");
    assert_eq!(player.message, "no line says \"no such thing\" there");
}

#[test]
fn time_goes_on_by_itself_until_the_end() {
    let mut player = player();
    player.pass(Span::from_secs(1));
    assert_eq!(player.clock, SimTime::ZERO);
    player.press(Key::Char(' '));
    player.pass(Span::from_secs(1));
    assert_eq!(player.clock, SimTime::ZERO.after(Span::from_secs(5)));
    player.press(Key::Char('+'));
    player.pass(Span::from_secs(1));
    assert_eq!(player.clock, SimTime::ZERO.after(Span::from_secs(15)));
    player.pass(Span::from_secs(1_000));
    assert_eq!((player.clock, player.playing), (player.future().end(), false));
}

/// Another future has the same past, and what was saved of it is that future.
#[test]
fn another_future_begins_where_something_is_done() {
    let mut player = player();
    player.press(Key::Char('f'));
    let (clock, before) = (player.clock, player.future().seen(player.clock));
    type_line(&mut player, ':', "kill whoami.1");
    assert_eq!(
        (player.current, player.clock, player.futures.len()),
        (1, clock, 2),
        "{}",
        player.message
    );
    assert_eq!(player.futures[0].records[..before], player.futures[1].records[..before]);
    assert_ne!(player.futures[0].footer.digest, player.futures[1].footer.digest);
    let killed = player.future().find(clock, |line| line.text.starts_with("fault: ")).unwrap();
    assert_eq!(killed.at, SimTime(clock.0 + 1));
    let Wish::Save { path, text } = type_line(&mut player, 's', "other.yaml") else {
        panic!("it asks for nothing")
    };
    assert_eq!(path, "other.yaml");
    let again = Future::new(String::new(), Arc::new(load(&text).unwrap()));
    assert_eq!(again.footer, player.future().footer);
    player.press(Key::Char('b'));
    assert_eq!((player.current, player.clock), (0, clock));
}

#[test]
fn a_docker_line_is_typed_in_another_future() {
    let mut player = player();
    player.press(Key::End);
    player.press(Key::Left);
    type_line(&mut player, ':', "docker service scale whoami=5");
    let tasks = player.future().rows(player.future().end()).tasks();
    let runs = tasks.iter().filter(|task| task.state == TaskState::Running).count();
    assert_eq!(runs, 5, "{}", player.message);
}

#[test]
fn what_cannot_be_done_is_told() {
    let mut player = player();
    let mut told = String::new();
    for line in [
        "dance",
        "crash node-9",
        "{",
        "[1]",
        "crash node-1 for ever",
        "{node: node-1}",
        "docker run a",
    ] {
        type_line(&mut player, ':', line);
        told += &format!("{line}: {}\n", player.message);
    }
    assert_eq!(player.futures.len(), 1);
    insta::assert_snapshot!(told);
}

#[test]
fn what_can_be_typed_can_be_done() {
    for line in [
        "kill whoami",
        "exit whoami.2 3",
        "crash node-1 for 30s",
        "return node-1",
        "partition node-1 for 10s",
        "drain node-1",
        "pause node-1",
        "active node-1",
        "sick lucj/whoami:1.0 for 1m",
        "registry for 10s",
        "leader",
        "{service: whoami, slot: 1, kill: TERM}",
        "docker service update --force whoami",
    ] {
        let mut player = player();
        player.clock = SimTime::ZERO.after(Span::from_secs(20));
        type_line(&mut player, ':', line);
        assert_eq!(player.futures.len(), 2, "{line}: {}", player.message);
    }
}
