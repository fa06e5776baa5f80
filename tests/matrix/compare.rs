//! One case from the break to the repair.

use anyhow::{Context, Result, ensure};

use crate::cases::{Case, Repair};
use crate::verdict::Checks;
use crate::world::World;

/// All three checks pass.
const GREEN: &str = "PPP";

/// Breaks a connection, compares what the four say of it, repairs it.
pub(crate) fn check(case: &Case) -> Result<()> {
    let world = World::connected().context("failed to connect")?;
    (case.breaks)(&world).context("failed to break it")?;

    let predicted = world.predicted("connection.json")?;
    let validated = world.validated("connection.json")?;
    let readable = world.is_readable("connection.json")?;
    let diagnosis = world.diagnosed("connection.json", case.flags)?;
    let scene = format!(
        "predicted {predicted}\nvalidated {validated}\nreadable: {readable}\ndiagnosed {diagnosis:#?}"
    );
    ensure!(is(&predicted, case.predicted), "expected the prediction {:?}\n{scene}", case.predicted);
    ensure!(is(&validated, case.validated), "expected the validation {:?}\n{scene}", case.validated);
    if let (Checks::Made(predicted), Checks::Made(validated)) = (&predicted, &validated)
        && !case.spreads
    {
        ensure!(predicted == validated, "prediction and validation disagree\n{scene}");
    }
    ensure!(diagnosis.link.as_deref() == case.link, "expected the link {:?}\n{scene}", case.link);
    let sentence = diagnosis.sentence.clone().unwrap_or_default();
    ensure!(sentence.contains(case.says), "`{}` is not said\n{scene}", case.says);
    if !case.beyond_the_sandbox {
        let works = validated == Checks::Made(GREEN.to_owned()) && readable;
        ensure!(diagnosis.is_healthy() == works, "the doctor disagrees with what works\n{scene}");
    }

    let fix = diagnosis.fix.unwrap_or_default();
    match case.repair {
        Repair::None => return Ok(()),
        Repair::Impossible(why) => {
            ensure!(format!("{sentence} {fix}").contains(why), "`{why}` is not said\n{scene}");
            return Ok(());
        }
        Repair::Command(expected) => {
            ensure!(fix.contains(expected), "expected the repair `{expected}`\n{scene}");
            if fix.starts_with("aws iam ") { world.administer(&fix) } else { world.shell(&fix) }
                .with_context(|| format!("the repair failed\n{scene}"))?;
        }
    }
    let file = if world.has("repaired.json") { "repaired.json" } else { "connection.json" };
    let after = format!("\nafter `{fix}`");
    ensure!(is(&world.validated(file)?, GREEN), "not repaired: {}{after}", world.validated(file)?);
    ensure!(is(&world.predicted(file)?, GREEN), "not repaired: {}{after}", world.predicted(file)?);
    ensure!(world.is_readable(file)?, "not repaired: the stream cannot be read{after}");
    let healed = world.diagnosed(file, "")?;
    ensure!(healed.is_healthy(), "not repaired: {healed:#?}{after}");
    Ok(())
}

/// Whether the checks are these letters, or were refused with these words.
fn is(checks: &Checks, expected: &str) -> bool {
    match checks {
        Checks::Made(letters) => letters == expected,
        Checks::Refused(said) => expected.strip_prefix("refused: ").is_some_and(|words| said.contains(words)),
    }
}
