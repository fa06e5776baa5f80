//! The role: there, and the one that the document means.

use live_role::{Iam, LiveRole};

use super::connection::Connection;
use super::finding::{Gap, Seen};

pub(crate) async fn check(connection: &Connection, iam: &Iam) -> Result<Seen<LiveRole>, Gap> {
    let Some(known) = connection.role_arn() else {
        return Err(Gap::broken("the document names no role", connection.make_role()));
    };
    let name = known.name();
    let Some(live) = iam.role(name).await? else {
        return Err(Gap::broken(format!("there is no role `{name}` any more"), connection.make_role()));
    };
    if live.arn != *known {
        let show = format!("iam-role show {name}");
        let mut stages = vec![show.as_str(), connection.generate_permissions(), "iam-role ensure"];
        if connection.credential.is_some() {
            stages.extend(["dbx-cred ensure", "trust-sync"]);
        }
        return Err(Gap::broken(
            format!("role `{name}` is `{}` now, but the document knows `{known}`", live.arn),
            connection.pipeline(&stages),
        ));
    }
    let mut warnings = Vec::new();
    let before = connection.role.as_ref().and_then(|role| role.id.as_deref());
    if let Some(before) = before.filter(|before| *before != live.id) {
        warnings.push(format!(
            "it was deleted and made again: its id is {}, the document knows {before}",
            live.id
        ));
    }
    Ok(Seen { sentence: format!("`{name}` exists, id {}", live.id), value: live, warnings })
}
