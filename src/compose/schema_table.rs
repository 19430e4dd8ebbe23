//! The keys of a Compose file of version 3, each with the minor version that brought it.
//!
//! Upstream: docker cli `cli/compose/schema/data/config_schema_v3.13.json` and those before it
//! (cli surface 5.2, 5.3).

use super::schema::Type::{Boolean, Integer, Null, Number, Text};
use super::schema::{Format, Others, Rule, Shape};

/// A map with these keys and no others.
const fn closed(keys: &'static [(&'static str, u8, &'static Rule)]) -> Shape {
    Shape { keys, others: Others::Refused, or: &[], required: &[], extensions: None }
}

/// A map of named things.
const fn named(rule: &'static Rule) -> Rule {
    Rule::Map(Shape { others: Others::Named(rule), ..closed(&[]) })
}

const fn texts(rule: &'static Rule) -> Rule {
    Rule::Map(Shape { others: Others::Texts(rule), ..closed(&[]) })
}

const ANY: &Rule = &Rule::Any;
const TEXT: &Rule = &Rule::Of(&[Text]);
const INTEGER: &Rule = &Rule::Of(&[Integer]);
const NUMBER: &Rule = &Rule::Of(&[Number]);
const BOOLEAN: &Rule = &Rule::Of(&[Boolean]);
const TEXT_OR_NUMBER: &Rule = &Rule::Of(&[Text, Number]);
const TEXT_NUMBER_OR_NOTHING: &Rule = &Rule::Of(&[Text, Number, Null]);
const DURATION: &Rule = &Rule::Formed(&[Text], Format::Duration);

const LIST: &Rule = &Rule::Items { of: TEXT, unique: false };
const SET: &Rule = &Rule::Items { of: TEXT, unique: true };
const TEXT_OR_LIST: &Rule = &Rule::Either(&[TEXT, SET]);
const WORDS: &Rule = &Rule::Either(&[TEXT, LIST]);
const OPTIONS: &Rule = &texts(TEXT_OR_NUMBER);
const DICTIONARY: &Rule = &texts(TEXT_NUMBER_OR_NOTHING);
const LIST_OR_DICTIONARY: &Rule = &Rule::Either(&[DICTIONARY, SET]);

/// The file.
pub(super) static ROOT: Rule = Rule::Map(Shape {
    extensions: Some(4),
    ..closed(&[
        ("version", 0, TEXT),
        ("services", 0, &named(&SERVICE)),
        ("networks", 0, &named(&NETWORK)),
        ("volumes", 0, &named(&VOLUME)),
        ("secrets", 1, &named(&SECRET)),
        ("configs", 3, &named(&CONFIG)),
    ])
});

static SERVICE: Rule = Rule::Map(Shape {
    extensions: Some(7),
    ..closed(&[
        (
            "build",
            0,
            &Rule::Either(&[TEXT, &Rule::Map(Shape { others: Others::Ignored, ..closed(&[]) })]),
        ),
        ("cap_add", 0, SET),
        ("cap_drop", 0, SET),
        ("cgroup_parent", 0, TEXT),
        ("cgroupns_mode", 10, TEXT),
        ("command", 0, WORDS),
        ("configs", 3, REFERENCES),
        ("container_name", 0, TEXT),
        ("credential_spec", 3, CREDENTIAL_SPEC),
        ("depends_on", 0, SET),
        ("deploy", 0, &DEPLOY),
        ("devices", 0, SET),
        ("dns", 0, TEXT_OR_LIST),
        ("dns_search", 0, TEXT_OR_LIST),
        ("domainname", 0, TEXT),
        ("entrypoint", 0, WORDS),
        ("env_file", 0, TEXT_OR_LIST),
        ("environment", 0, LIST_OR_DICTIONARY),
        (
            "expose",
            0,
            &Rule::Items { of: &Rule::Formed(&[Text, Number], Format::Expose), unique: true },
        ),
        ("external_links", 0, SET),
        ("extra_hosts", 0, LIST_OR_DICTIONARY),
        ("healthcheck", 0, &HEALTHCHECK),
        ("hostname", 0, TEXT),
        ("image", 0, TEXT),
        ("init", 7, BOOLEAN),
        ("ipc", 0, TEXT),
        ("isolation", 5, TEXT),
        ("labels", 0, LIST_OR_DICTIONARY),
        ("links", 0, SET),
        ("logging", 0, &Rule::Map(closed(&[("driver", 0, TEXT), ("options", 0, DICTIONARY)]))),
        ("mac_address", 0, TEXT),
        ("network_mode", 0, TEXT),
        ("networks", 0, &Rule::Either(&[SET, &named(&SERVICE_NETWORK)])),
        ("oom_score_adj", 13, INTEGER),
        ("pid", 0, &Rule::Of(&[Text, Null])),
        ("ports", 0, &Rule::Items { of: PORT, unique: true }),
        ("privileged", 0, BOOLEAN),
        ("read_only", 0, BOOLEAN),
        ("restart", 0, TEXT),
        ("secrets", 1, REFERENCES),
        ("security_opt", 0, SET),
        ("shm_size", 0, &Rule::Of(&[Number, Text])),
        ("stdin_open", 0, BOOLEAN),
        ("stop_grace_period", 0, DURATION),
        ("stop_signal", 0, TEXT),
        ("sysctls", 0, LIST_OR_DICTIONARY),
        ("tmpfs", 0, TEXT_OR_LIST),
        ("tty", 0, BOOLEAN),
        ("ulimits", 0, &named(&ULIMIT)),
        ("user", 0, TEXT),
        ("userns_mode", 0, TEXT),
        ("volumes", 0, &Rule::Items { of: MOUNT, unique: false }),
        ("working_dir", 0, TEXT),
    ])
});

static DEPLOY: Rule = Rule::Map(Shape {
    or: &[Null],
    ..closed(&[
        ("endpoint_mode", 2, TEXT),
        ("labels", 0, LIST_OR_DICTIONARY),
        ("mode", 0, TEXT),
        ("placement", 0, &PLACEMENT),
        ("replicas", 0, INTEGER),
        ("resources", 0, &RESOURCES),
        ("restart_policy", 0, &RESTART_POLICY),
        ("rollback_config", 7, &UPDATE_CONFIG),
        ("update_config", 0, &UPDATE_CONFIG),
    ])
});

static UPDATE_CONFIG: Rule = Rule::Map(closed(&[
    ("delay", 0, DURATION),
    ("failure_action", 0, TEXT),
    ("max_failure_ratio", 0, NUMBER),
    ("monitor", 0, DURATION),
    ("order", 4, &Rule::Word(&["start-first", "stop-first"])),
    ("parallelism", 0, INTEGER),
]));

static RESTART_POLICY: Rule = Rule::Map(closed(&[
    ("condition", 0, TEXT),
    ("delay", 0, DURATION),
    ("max_attempts", 0, INTEGER),
    ("window", 0, DURATION),
]));

static PLACEMENT: Rule = Rule::Map(closed(&[
    ("constraints", 0, LIST),
    ("max_replicas_per_node", 8, INTEGER),
    (
        "preferences",
        3,
        &Rule::Items { of: &Rule::Map(closed(&[("spread", 3, TEXT)])), unique: false },
    ),
]));

static RESOURCES: Rule = Rule::Map(closed(&[
    (
        "limits",
        0,
        &Rule::Map(closed(&[("cpus", 0, TEXT), ("memory", 0, TEXT), ("pids", 9, INTEGER)])),
    ),
    (
        "reservations",
        0,
        &Rule::Map(closed(&[
            ("cpus", 0, TEXT),
            ("generic_resources", 5, &Rule::Items { of: &GENERIC, unique: false }),
            ("memory", 0, TEXT),
        ])),
    ),
]));

static GENERIC: Rule = Rule::Map(closed(&[(
    "discrete_resource_spec",
    5,
    &Rule::Map(closed(&[("kind", 5, TEXT), ("value", 5, NUMBER)])),
)]));

static HEALTHCHECK: Rule = Rule::Map(closed(&[
    ("disable", 0, BOOLEAN),
    ("interval", 0, DURATION),
    ("retries", 0, NUMBER),
    ("start_interval", 12, DURATION),
    ("start_period", 4, DURATION),
    ("test", 0, WORDS),
    ("timeout", 0, DURATION),
]));

const PORT: &Rule = &Rule::Either(&[
    &Rule::Formed(&[Number], Format::Ports),
    &Rule::Formed(&[Text], Format::Ports),
    &Rule::Map(closed(&[
        ("mode", 2, TEXT),
        ("protocol", 2, TEXT),
        ("published", 2, INTEGER),
        ("target", 2, INTEGER),
    ])),
]);

const REFERENCES: &Rule = &Rule::Items {
    of: &Rule::Either(&[
        TEXT,
        &Rule::Map(Shape {
            others: Others::Ignored,
            ..closed(&[
                ("gid", 1, TEXT),
                ("mode", 1, NUMBER),
                ("source", 1, TEXT),
                ("target", 1, TEXT),
                ("uid", 1, TEXT),
            ])
        }),
    ]),
    unique: false,
};

const CREDENTIAL_SPEC: &Rule =
    &Rule::Map(closed(&[("config", 8, TEXT), ("file", 3, TEXT), ("registry", 3, TEXT)]));

static ULIMIT: Rule = Rule::Either(&[
    INTEGER,
    &Rule::Map(Shape {
        required: &["soft", "hard"],
        ..closed(&[("hard", 0, INTEGER), ("soft", 0, INTEGER)])
    }),
]);

static SERVICE_NETWORK: Rule = Rule::Either(&[
    &Rule::Map(closed(&[
        ("aliases", 0, SET),
        ("driver_opts", 9, OPTIONS),
        ("ipv4_address", 0, TEXT),
        ("ipv6_address", 0, TEXT),
    ])),
    &Rule::Of(&[Null]),
]);

const MOUNT: &Rule = &Rule::Either(&[
    TEXT,
    &Rule::Map(Shape {
        required: &["type"],
        ..closed(&[
            (
                "bind",
                2,
                &Rule::Map(Shape {
                    others: Others::Ignored,
                    ..closed(&[("propagation", 2, TEXT)])
                }),
            ),
            ("cluster", 9, ANY),
            ("consistency", 2, TEXT),
            ("read_only", 2, BOOLEAN),
            ("source", 2, TEXT),
            ("target", 2, TEXT),
            (
                "tmpfs",
                6,
                &Rule::Map(Shape { others: Others::Ignored, ..closed(&[("size", 6, INTEGER)]) }),
            ),
            ("type", 2, TEXT),
            (
                "volume",
                2,
                &Rule::Map(Shape { others: Others::Ignored, ..closed(&[("nocopy", 2, BOOLEAN)]) }),
            ),
        ])
    }),
]);

/// `true`, `false`, or a map with a name.
const EXTERNAL: &Rule = &Rule::Map(Shape { or: &[Boolean], ..closed(&[("name", 0, TEXT)]) });

static NETWORK: Rule = Rule::Map(Shape {
    or: &[Null],
    extensions: Some(7),
    ..closed(&[
        ("attachable", 1, BOOLEAN),
        ("driver", 0, TEXT),
        ("driver_opts", 0, OPTIONS),
        ("external", 0, EXTERNAL),
        ("internal", 0, BOOLEAN),
        ("ipam", 0, &IPAM),
        ("labels", 0, LIST_OR_DICTIONARY),
        ("name", 5, TEXT),
    ])
});

static IPAM: Rule = Rule::Map(closed(&[
    ("config", 0, &Rule::Items { of: &Rule::Map(closed(&[("subnet", 0, TEXT)])), unique: false }),
    ("driver", 0, TEXT),
]));

static VOLUME: Rule = Rule::Map(Shape {
    or: &[Null],
    extensions: Some(7),
    ..closed(&[
        ("driver", 0, TEXT),
        ("driver_opts", 0, OPTIONS),
        ("external", 0, EXTERNAL),
        ("labels", 0, LIST_OR_DICTIONARY),
        ("name", 4, TEXT),
    ])
});

static SECRET: Rule = Rule::Map(Shape {
    extensions: Some(7),
    ..closed(&[
        ("driver", 8, TEXT),
        ("driver_opts", 8, OPTIONS),
        ("external", 0, EXTERNAL),
        ("file", 0, TEXT),
        ("labels", 0, LIST_OR_DICTIONARY),
        ("name", 5, TEXT),
        ("template_driver", 8, TEXT),
    ])
});

static CONFIG: Rule = Rule::Map(Shape {
    extensions: Some(7),
    ..closed(&[
        ("external", 0, EXTERNAL),
        ("file", 0, TEXT),
        ("labels", 0, LIST_OR_DICTIONARY),
        ("name", 5, TEXT),
        ("template_driver", 8, TEXT),
    ])
});
