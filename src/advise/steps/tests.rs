use super::*;
use crate::swarmkit::spec::{ContainerSpec, Mode, TaskTemplate};

fn spec(health: Option<HealthConfig>) -> ServiceSpec {
    let container = ContainerSpec { healthcheck: health, ..ContainerSpec::default() };
    ServiceSpec {
        name: "web".to_string(),
        labels: std::collections::BTreeMap::new(),
        task: TaskTemplate { container, ..TaskTemplate::default() },
        mode: Mode::Replicated { replicas: 8 },
        update: None,
        rollback: None,
        endpoint: None,
    }
}

fn check(interval: i64) -> HealthConfig {
    HealthConfig {
        test: vec!["CMD".to_string(), "true".to_string()],
        interval: Span::from_secs(interval),
        ..HealthConfig::default()
    }
}

fn values(spec: &ServiceSpec, image: &Image, key: Key) -> Option<String> {
    let sick_after = Some(Span::from_secs(60));
    let today = Today { spec, image, slots: 8, sick_after, rolls_back: true };
    let axis = today.axis(key, None)?;
    let others: Vec<String> = axis.others.iter().map(Value::to_string).collect();
    Some(format!("{} | {}", axis.own, others.join(" ")))
}

#[test]
fn steps_are_around_the_own_value() {
    let image = Image { serves_after: Span::from_secs(4), ..Image::default() };
    let spec = spec(Some(check(10)));
    let told = Key::ALL.map(|key| values(&spec, &image, key).unwrap_or_default());
    assert_eq!(
        told,
        [
            "1 | 2 4 0",
            "0s | 10s 1m30s 2m30s",
            "5s | 1m30s 2m30s",
            "stop-first | start-first",
            "pause | rollback",
            "0 | ",
            "10s | 5s",
            "30s | 15s",
            "3 | 2",
            "0s | 10s",
            "1 | 4 0",
            "0s | ",
            "5s | ",
            "stop-first | start-first",
            "pause | continue",
        ]
    );
}

#[test]
fn without_a_health_check_its_keys_mean_nothing() {
    let image = Image::default();
    let of = |key| values(&spec(None), &image, key);
    assert_eq!(
        [Key::Interval, Key::Timeout, Key::Retries, Key::StartPeriod].map(of),
        [None, None, None, None]
    );
    assert_eq!(of(Key::Monitor).as_deref(), Some("5s | "));
    // The image's own will do, and what the service says of it comes first.
    let checked = Image { healthcheck: Some(check(20)), ..Image::default() };
    let own = spec(Some(HealthConfig { retries: 5, ..HealthConfig::default() }));
    assert_eq!(values(&own, &checked, Key::Interval).as_deref(), Some("20s | 10s 5s"));
    assert_eq!(values(&own, &checked, Key::Retries).as_deref(), Some("5 | 2 3"));
    let off = HealthConfig { test: vec!["NONE".to_string()], ..HealthConfig::default() };
    assert_eq!(values(&spec(Some(off)), &checked, Key::Interval), None);
}

#[test]
fn named_values_take_the_place_of_the_steps() {
    let (spec, image) = (spec(None), Image::default());
    let today = Today { spec: &spec, image: &image, slots: 8, sick_after: None, rolls_back: false };
    let named = [Value::Count(3), Value::Count(1), Value::Count(9), Value::Count(3)];
    let axis = today.axis(Key::Parallelism, Some(&named)).unwrap();
    assert_eq!(axis.others, [Value::Count(3), Value::Count(9)]);
    assert_eq!(today.axis(Key::RollbackOrder, None), None, "there is no rollback");
}
