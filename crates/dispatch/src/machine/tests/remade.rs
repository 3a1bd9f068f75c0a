//! A step whose rows could not be stored: the machine is made anew and goes on with what is under way.

use super::stories::CONFIG;
use super::{START_MS, World, alert, describe, parse, silence};
use crate::history::Change;
use crate::machine::{Input, Kept, Machine, Step};
use crate::notice::Outcome;
use crate::rows;
use model::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A machine without a step that could not be stored; answers what follows.
fn remade(world: &mut World, lost: Step, under_way: BTreeMap<String, Timestamp>) -> Step {
    let mut restored = rows::load(&world.state, Timestamp::MIN).expect("rows");
    let told = world.machine.take_told(lost.before);
    restored.kept = Some(Kept { under_way, told });
    let (machine, step) = Machine::restore(world.now, Arc::clone(&world.config), restored);
    world.machine = machine;
    step
}

fn world() -> World {
    World::new(&parse(CONFIG), Timestamp::from_millis(START_MS))
}

#[test]
fn attempts_under_way_are_not_made_again_and_their_outcomes_count() {
    let mut world = world();
    world.hanging.insert("team".to_owned());
    world.input(Input::Put(vec![alert(&["A", "job=x"])]));
    world.advance_to(world.start.plus_millis(40_000));
    let (_, id) = world.hung.remove(0);
    let lost = world
        .machine
        .step(world.now, Input::Put(vec![alert(&["B", "job=y"])]));
    let under_way = BTreeMap::from([(id.clone(), world.start.plus_millis(30_000))]);
    let step = remade(&mut world, lost, under_way);
    world.hanging.clear();
    world.follow(&step);
    world.input(Input::Tick);
    assert_eq!(world.arrived, Vec::<String>::new());
    assert_eq!(world.machine.in_flight(), 1);
    let step = world.input(Input::Delivered(id.clone(), Outcome::Delivered(Vec::new())));
    assert_eq!(step.ended, [id]);
    assert_eq!(world.machine.in_flight(), 0);
    world.advance_to(world.start.plus_millis(600_000));
    assert_eq!(
        world.arrived,
        Vec::<String>::new(),
        "A was told, B was not taken"
    );
}

#[test]
fn what_waits_keeps_its_moment_and_what_ended_stays_ended() {
    let mut world = world();
    world.config = parse(&CONFIG.replace("1000h", "33s"));
    world.machine = Machine::new(Arc::clone(&world.config));
    world.down.insert("team".to_owned());
    world.input(Input::Put(vec![alert(&["A", "job=x"])]));
    world.advance_to(world.start.plus_millis(32_500));
    let next = world.machine.outbox.next_moment();
    let step = remade(&mut world, Step::default(), BTreeMap::new());
    world.follow(&step);
    assert_eq!(world.machine.outbox.next_moment(), next);
    // The end that was not stored.
    world.now = world.start.plus_millis(33_100);
    let lost = world.machine.step(world.now, Input::Tick);
    let step = remade(&mut world, lost, BTreeMap::new());
    let routed: Vec<String> = step.routed.iter().map(describe).collect();
    assert_eq!(routed, ["A resolved"]);
}

#[test]
fn news_that_were_not_stored_are_told_once_they_are() {
    let mut world = world();
    world.input(Input::Put(vec![
        alert(&["A", "job=x"]),
        alert(&["B", "job=y"]),
    ]));
    silence(&mut world, &["s", "for", "10m", "job=x"]);
    world.advance_to(world.start.plus_millis(300_000));
    world.now = world.start.plus_millis(600_001);
    let lost = world.machine.step(world.now, Input::Tick);
    let told: Vec<String> = lost.routed.iter().map(describe).collect();
    assert_eq!(told, ["A firing"]);
    let step = remade(&mut world, lost, BTreeMap::new());
    let routed: Vec<String> = step.routed.iter().map(describe).collect();
    assert_eq!(routed, told, "B is no news");
    world.follow(&step);
    let query = crate::HistoryQuery {
        limit: 1,
        ..crate::HistoryQuery::default()
    };
    let events = rows::history::events(&world.state, &query).expect("rows");
    assert_eq!(
        (events[0].change, events[0].labels.value("alertname")),
        (Change::Released, "A")
    );
}
