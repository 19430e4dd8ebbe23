//! What `docker stack deploy` does with a file: in which order, under which names.
//!
//! Upstream: docker cli `cli/command/stack/deploy_composefile.go` (cli surface 5.6). Within
//! networks, secrets, configs and services the real order is that of a Go map, which is random;
//! here it is by name.

use std::collections::{BTreeMap, BTreeSet};

use crate::compose::deploy::word;
use crate::compose::file::{ComposeFile, Refusal};
use crate::compose::mistake::{Mistakes, Phase};
use crate::compose::objects::{Stack, is_external, own_name};
use crate::compose::service::{is_user_defined, lower, used_networks};
use crate::compose::value::Node;
use crate::scenario::problem::Place;
use crate::swarmkit::spec::ServiceSpec;

/// What is created or updated, each list by name.
#[derive(Clone, PartialEq, Debug)]
pub struct Deployment {
    /// Name of the stack.
    pub stack: String,
    /// Networks that must exist already.
    pub external_networks: Vec<String>,
    /// Networks of the stack.
    pub networks: Vec<String>,
    /// Secrets of the stack.
    pub secrets: Vec<String>,
    /// Configs of the stack.
    pub configs: Vec<String>,
    /// Keys of all services in the file.
    pub keys: BTreeSet<String>,
    /// Its services; or what is told, after all of the above was created, why there are none.
    pub services: Result<Vec<ServicePlan>, Refusal>,
}

/// A service of a stack.
#[derive(Clone, PartialEq, Debug)]
pub struct ServicePlan {
    /// Its key in the file.
    pub key: String,
    /// Its image as written.
    pub image: String,
    /// What is sent.
    pub spec: ServiceSpec,
    /// The daemon's answer to a word that a spec cannot hold.
    pub refused: Option<String>,
    /// Where it stands in the file.
    pub place: Place,
}

impl ComposeFile {
    /// Names of its services, by name.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.environments.keys().map(String::as_str)
    }

    /// What deploying it as that stack means. `path` is where the file is.
    pub fn lower(&self, stack: &str, path: &str) -> Deployment {
        let stack = Stack { name: stack, path };
        let (external_networks, networks) = self.networks(stack);
        Deployment {
            stack: stack.name.to_string(),
            external_networks,
            networks,
            secrets: self.objects("secrets", stack),
            configs: self.objects("configs", stack),
            keys: self.services().map(str::to_string).collect(),
            services: self.specs(stack),
        }
    }

    fn specs(&self, stack: Stack<'_>) -> Result<Vec<ServicePlan>, Refusal> {
        let mut mistakes = Mistakes::default();
        let mut specs = BTreeMap::new();
        let mut fields: Vec<_> =
            self.root.get("services").map_or(&[][..], Node::fields).iter().collect();
        fields.sort_by(|a, b| a.key.cmp(&b.key));
        for field in fields {
            let env = self.environments.get(&field.key).map_or(&[][..], Vec::as_slice);
            match lower(field, &self.root, env, stack) {
                Ok(plan) => drop(specs.insert(field.key.clone(), plan)),
                Err((place, text)) => {
                    let text = format!("service {}: {text}", field.key);
                    let hint = self.known(&text);
                    mistakes.note(Phase::Convert, "", place, &field.key, &text, hint);
                }
            }
        }
        match Refusal::of(&mistakes) {
            Some(refusal) => Err(refusal),
            None => Ok(specs.into_values().collect()),
        }
    }

    /// The names that a section has, for a reference to one that it has not.
    fn known(&self, text: &str) -> Option<String> {
        let (_, what) = text.split_once(": undefined ")?;
        let what = what.split(' ').next()?;
        let fields = self.root.get(&format!("{what}s")).map_or(&[][..], Node::fields);
        let names: Vec<&str> = fields.iter().map(|field| &*field.key).take(8).collect();
        Some(if names.is_empty() {
            format!("declare it under `{what}s:` at the top level")
        } else {
            format!("`{what}s:` declares {}", names.join(", "))
        })
    }

    /// External networks and the stack's own, as far as services use them.
    fn networks(&self, stack: Stack<'_>) -> (Vec<String>, Vec<String>) {
        let declared = self.root.get("networks").map_or(&[][..], Node::fields);
        let services = self.root.get("services").map_or(&[][..], Node::fields);
        let used = services.iter().flat_map(used_networks).map(|(key, ..)| key);
        let used: BTreeSet<&str> = used.collect();
        let (mut external, mut own) = (Vec::new(), Vec::new());
        for key in used {
            match declared.iter().find(|network| network.key == key) {
                Some(network) if is_external(&network.node) => {
                    external.push(own_name(network, stack));
                }
                Some(network) => own.push(own_name(network, stack)),
                // What is not declared is a mistake of the services, told later.
                None => own.push(stack.scope(key)),
            }
        }
        external.retain(|name| is_user_defined(name));
        external.sort();
        own.sort();
        own.dedup();
        (external, own)
    }

    fn objects(&self, section: &str, stack: Stack<'_>) -> Vec<String> {
        let fields = self.root.get(section).map_or(&[][..], Node::fields);
        let own = fields.iter().filter(|field| !is_external(&field.node));
        let mut names: Vec<String> = own.map(|field| own_name(field, stack)).collect();
        names.sort();
        names
    }

    /// Names of secrets (`secrets`) or configs (`configs`) that must exist already.
    pub fn external(&self, section: &str) -> Vec<String> {
        let stack = Stack { name: "", path: "" };
        let fields = self.root.get(section).map_or(&[][..], Node::fields);
        let external = fields.iter().filter(|field| is_external(&field.node));
        external.map(|field| own_name(field, stack)).collect()
    }

    /// Whether a secret or config comes from a file.
    pub fn has_files(&self) -> bool {
        let sections = ["secrets", "configs"].into_iter().filter_map(|key| self.root.get(key));
        sections.flat_map(Node::fields).any(|field| field.node.get("file").is_some())
    }

    /// The image of every service as written.
    pub fn images(&self) -> impl Iterator<Item = (&str, &str)> {
        let services = self.root.get("services").map_or(&[][..], Node::fields);
        services.iter().map(|field| (&*field.key, word(Some(&field.node), "image")))
    }
}
