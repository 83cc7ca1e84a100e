//! `aws:updateVariable` (User Guide, automation-action-update-variable).

use crate::leave::StepEnd;
use crate::scope::Unopened;
use crate::turn::Turn;
use fleetwright_runbook::UpdateVariable;

impl Turn<'_> {
    /// Sets a variable. Its value keeps the type the variable was declared with: nothing is converted.
    pub(crate) fn update_variable(&mut self, update: &UpdateVariable) -> Result<StepEnd, Unopened> {
        let name = &update.variable;
        let Some(variable) = self.runbook.variable(name.as_str()) else {
            return Err(Unopened::Fails(format!("the runbook has no variable {name}")));
        };
        let scope = self.scope();
        let value = update.value.resolve(&|reference: &_| scope.look_up(reference))?;
        if let Err(wrong) = UpdateVariable::check(variable.value_type, &value) {
            return Err(Unopened::Fails(format!("Value: {wrong}")));
        }
        let before = self.execution.variables.insert(name.to_string(), value);
        if let Some(wrong) = self.lacks_room() {
            match before {
                None => self.execution.variables.remove(name.as_str()),
                Some(before) => self.execution.variables.insert(name.to_string(), before),
            };
            return Err(Unopened::Fails(format!("Value: {wrong}")));
        }
        Ok(StepEnd::success())
    }
}
