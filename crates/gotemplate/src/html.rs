//! html
use crate::parse::Trees;
use crate::{Error, FunctionMap, Template};
use std::sync::{Arc, LazyLock};
pub(crate) static ESCAPERS: LazyLock<FunctionMap> = LazyLock::new(FunctionMap::new);
pub(crate) fn escape(template: &Template, name: &str) -> Result<(Trees, Arc<str>), Error> {
    Ok((template.trees.clone(), Arc::from(name)))
}
