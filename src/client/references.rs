//! Values that name something else: mounts, networks, secrets and configs.
//!
//! Source: cli surface 1.2 and 1.5.

use std::collections::BTreeMap;

use crate::client::golang;
use crate::client::values::parse_bytes;
use crate::swarmkit::spec::{FileReference, Mount, NetworkAttachment};

/// The value of `--mount`.
///
/// # Errors
/// Docker's own text.
pub fn parse_mount(value: &str) -> Result<Mount, String> {
    if value.is_empty() {
        return Err("value is empty".to_string());
    }
    let mut mount = Mount { kind: "volume".to_string(), ..Mount::default() };
    for field in golang::csv(value)? {
        let (key, val) = match field.split_once('=') {
            Some((key, val)) => (key, Some(val)),
            None => (field.as_str(), None),
        };
        check_blanks(&field, key, val)?;
        set_mount_field(&mut mount, &field, &key.to_lowercase(), val)?;
    }
    for kind in ["bind", "volume", "image", "tmpfs", "cluster"] {
        let prefix = format!("{kind}-");
        if kind != mount.kind && mount.options.keys().any(|key| key.starts_with(&prefix)) {
            return Err(format!("cannot mix '{kind}-*' options with mount type '{}'", mount.kind));
        }
    }
    Ok(mount)
}

fn check_blanks(field: &str, key: &str, val: Option<&str>) -> Result<(), String> {
    if key.trim() != key {
        return Err(format!(
            "invalid option '{key}' in '{field}': option should not have whitespace"
        ));
    }
    match val {
        Some(val) if val.trim().is_empty() => {
            Err(format!("invalid value for '{key}': value is empty"))
        }
        Some(val) if val.trim() != val => {
            Err(format!("invalid value for '{key}' in '{field}': value should not have whitespace"))
        }
        _ => Ok(()),
    }
}

fn set_mount_field(
    mount: &mut Mount,
    field: &str,
    key: &str,
    val: Option<&str>,
) -> Result<(), String> {
    let flag = matches!(key, "readonly" | "ro" | "volume-nocopy" | "bind-nonrecursive");
    if val.is_none() && !flag {
        return Err(format!("invalid field '{field}' must be a key=value pair"));
    }
    let text = val.unwrap_or("true");
    let invalid = || format!("invalid value for {key}: {text}");
    match key {
        "type" => mount.kind = text.to_lowercase(),
        "source" | "src" => mount.source = text.to_string(),
        "target" | "dst" | "destination" => mount.target = text.to_string(),
        "readonly" | "ro" => {
            mount.read_only = golang::parse_bool(text).map_err(|_| invalid())?;
        }
        "bind-nonrecursive" => {
            return Err(
                "bind-nonrecursive is deprecated, use bind-recursive=disabled instead".to_string()
            );
        }
        "volume-nocopy" => {
            golang::parse_bool(text).map_err(|_| invalid())?;
            mount.options.insert(key.to_string(), text.to_string());
        }
        "tmpfs-size" => {
            parse_bytes(text).map_err(|_| invalid())?;
            mount.options.insert(key.to_string(), text.to_string());
        }
        "tmpfs-mode" => {
            golang::parse_uint(text, 8).map_err(|_| invalid())?;
            mount.options.insert(key.to_string(), text.to_string());
        }
        "volume-label" | "volume-opt" => {
            let (name, setting) = text.split_once('=').unwrap_or((text, ""));
            mount.options.insert(format!("{key}.{name}"), setting.to_string());
        }
        "consistency" | "bind-propagation" | "bind-recursive" | "bind-create-src"
        | "volume-subpath" | "volume-driver" | "image-subpath" => {
            mount.options.insert(key.to_string(), text.to_string());
        }
        _ => return Err(format!("unknown option '{key}' in '{field}'")),
    }
    Ok(())
}

/// The value of `--network`.
///
/// # Errors
/// Docker's own text.
pub fn parse_network(value: &str) -> Result<NetworkAttachment, String> {
    let mut network = NetworkAttachment::default();
    if !golang::has_assignment(value) {
        network.target = value.to_string();
        return Ok(network);
    }
    for field in golang::csv(value)? {
        let lower = field.to_lowercase();
        let (key, val) = match lower.split_once('=') {
            Some((key, val)) if !key.is_empty() => (key.trim(), val.trim()),
            _ => return Err(format!("invalid field {field}")),
        };
        match key {
            "name" => network.target = val.to_string(),
            "alias" => network.aliases.push(val.to_string()),
            "driver-opt" => match val.split_once('=') {
                Some((name, setting)) if !name.is_empty() => {
                    network.driver_opts.insert(name.trim().to_string(), setting.trim().to_string());
                }
                _ => return Err("invalid key value pair format in driver options".to_string()),
            },
            _ => return Err(format!("invalid field key {key}")),
        }
    }
    if network.target.is_empty() {
        return Err("network name/id is not specified".to_string());
    }
    Ok(network)
}

/// The value of `--secret` (`what` = `secret`) or `--config` (`config`).
///
/// # Errors
/// Docker's own text.
pub fn parse_file(what: &str, value: &str) -> Result<FileReference, String> {
    let fields = golang::csv(value)?;
    let mut file = FileReference {
        source: String::new(),
        target: String::new(),
        uid: "0".to_string(),
        gid: "0".to_string(),
        mode: 0o444,
    };
    if let [name] = fields.as_slice()
        && !name.contains('=')
    {
        file.source.clone_from(name);
        file.target.clone_from(name);
        return Ok(file);
    }
    for field in fields {
        let (key, val) = match field.split_once('=') {
            Some((key, val)) if !key.is_empty() => (key, val),
            _ => return Err(format!("invalid field '{field}' must be a key=value pair")),
        };
        match key.to_lowercase().as_str() {
            "source" | "src" => file.source = val.to_string(),
            "target" => file.target = val.to_string(),
            "uid" => file.uid = val.to_string(),
            "gid" => file.gid = val.to_string(),
            "mode" => file.mode = parse_mode(val)?,
            _ => return Err(format!("invalid field in {what} request: {key}")),
        }
    }
    if file.source.is_empty() {
        return Err("source is required".to_string());
    }
    if file.target.is_empty() {
        file.target.clone_from(&file.source);
    }
    Ok(file)
}

fn parse_mode(val: &str) -> Result<u32, String> {
    golang::parse_uint(val, 0)
        .and_then(|mode| u32::try_from(mode).map_err(|_| golang::NumberError::Range))
        .map_err(|error| format!("invalid mode specified: {}", error.strconv("ParseUint", val)))
}

/// `key=value` texts as a map; a text without `=` has an empty value.
pub fn key_values<'a>(texts: impl IntoIterator<Item = &'a str>) -> BTreeMap<String, String> {
    texts
        .into_iter()
        .map(|text| text.split_once('=').unwrap_or((text, "")))
        .map(|(key, value)| (key.to_string(), value.to_string()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts() {
        let mount = parse_mount("type=bind,src=/a,dst=/b,ro").unwrap();
        assert_eq!((mount.kind.as_str(), mount.source.as_str()), ("bind", "/a"));
        assert_eq!((mount.target.as_str(), mount.read_only), ("/b", true));
        for (value, error) in [
            ("", "value is empty"),
            (" a=b", "invalid option ' a' in ' a=b': option should not have whitespace"),
            ("source=", "invalid value for 'source': value is empty"),
            (
                "source= a",
                "invalid value for 'source' in 'source= a': value should not have whitespace",
            ),
            ("foo", "invalid field 'foo' must be a key=value pair"),
            ("foo=bar", "unknown option 'foo' in 'foo=bar'"),
            ("type=tmpfs,tmpfs-size=foo", "invalid value for tmpfs-size: foo"),
            (
                "type=bind,bind-nonrecursive",
                "bind-nonrecursive is deprecated, use bind-recursive=disabled instead",
            ),
            (
                "type=volume,bind-propagation=rslave",
                "cannot mix 'bind-*' options with mount type 'volume'",
            ),
        ] {
            assert_eq!(parse_mount(value), Err(error.to_string()), "{value}");
        }
    }

    #[test]
    fn networks() {
        assert_eq!(parse_network("front").unwrap().target, "front");
        let network = parse_network("name=front,alias=web,driver-opt=a=b").unwrap();
        assert_eq!((network.target.as_str(), network.aliases.len()), ("front", 1));
        for (value, error) in [
            ("name=a,b", "invalid field b"),
            ("name=a,foo=b", "invalid field key foo"),
            ("alias=b", "network name/id is not specified"),
            ("name=a,driver-opt=x", "invalid key value pair format in driver options"),
        ] {
            assert_eq!(parse_network(value), Err(error.to_string()), "{value}");
        }
    }

    #[test]
    fn secrets_and_configs() {
        let file = parse_file("secret", "src=key,target=/k,mode=0400").unwrap();
        assert_eq!((file.source.as_str(), file.target.as_str(), file.mode), ("key", "/k", 0o400));
        assert_eq!(parse_file("config", "c").unwrap().target, "c");
        for (what, value, error) in [
            ("secret", "src=a,b", "invalid field 'b' must be a key=value pair"),
            ("secret", "foo=a", "invalid field in secret request: foo"),
            ("config", "foo=a", "invalid field in config request: foo"),
            ("secret", "target=a", "source is required"),
            ("secret", "src=a,mode=9", ""),
            (
                "secret",
                "src=a,mode=x",
                "invalid mode specified: strconv.ParseUint: parsing \"x\": invalid syntax",
            ),
        ] {
            let found = parse_file(what, value);
            if error.is_empty() {
                assert_eq!(found.unwrap().mode, 9);
            } else {
                assert_eq!(found, Err(error.to_string()), "{value}");
            }
        }
    }
}
