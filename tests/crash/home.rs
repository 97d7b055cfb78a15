//! The folder of one run: configuration, store, log, trace.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// What a client of the tests says that it is.
pub(crate) const USER: &str = "the-user-of-the-crash-test";
/// What the operator of the tests says that he is.
pub(crate) const OPERATOR: &str = "the-operator-of-the-crash-test";

/// The resource whose sessions live for three seconds.
pub(crate) const BRIEF: &str = "brief";

const CONFIG: &str = "xmlns=\"http://ogsadai.org.uk/namespaces/2005/10/config\"";

/// When an answered change is safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// When the disk says that it has it.
    Full,
    /// When the operating system has it.
    Os,
}

/// A folder with everything that a service needs, and what it leaves behind.
///
/// `data/` is what the disk layer watches: the resource and its store. The rest stands beside it.
#[derive(Debug)]
pub(crate) struct Home {
    folder: PathBuf,
}

impl Home {
    /// Writes the configuration of a new service into a folder that is there.
    pub(crate) fn new(folder: &Path, durability: Durability) -> Result<Self> {
        let home = Self { folder: folder.to_owned() };
        fs::create_dir_all(folder)?;
        fs::write(folder.join("service.xml"), service(&["data", BRIEF]))?;
        fs::write(folder.join("tokens"), tokens())?;
        for (name, lifetime) in [("data", "PT12H"), (BRIEF, "PT3S")] {
            fs::create_dir_all(folder.join(name))?;
            fs::write(folder.join(name).join("resource.xml"), resource("<dataResource uri=\"sqlite::memory:\"/>"))?;
            fs::write(folder.join(name).join("session.xml"), session(durability, lifetime))?;
        }
        Ok(home)
    }

    /// Writes the configuration of a service over databases that are given as elements of its resource document. Its sessions
    /// end soon when nobody asks for them, and its transactions are logged.
    pub(crate) fn over_databases(folder: &Path, databases: &str) -> Result<Self> {
        let home = Self { folder: folder.to_owned() };
        fs::create_dir_all(home.data())?;
        fs::write(folder.join("service.xml"), service(&["data"]))?;
        fs::write(folder.join("tokens"), tokens())?;
        fs::write(home.data().join("resource.xml"), resource(databases))?;
        fs::write(home.data().join("session.xml"), session_of_transactions())?;
        Ok(home)
    }

    /// Writes the configuration of a service over another service of this machine.
    pub(crate) fn over_http(folder: &Path, url: &str, durability: Durability) -> Result<Self> {
        let home = Self { folder: folder.to_owned() };
        fs::create_dir_all(home.data())?;
        fs::write(folder.join("service.xml"), service(&["data"]))?;
        fs::write(folder.join("tokens"), tokens())?;
        let web = format!("<dataResource uri=\"{url}/\"><origin uri=\"{url}\" private=\"true\"/></dataResource>");
        fs::write(home.data().join("resource.xml"), resource(&web))?;
        fs::write(home.data().join("session.xml"), session(durability, "PT12H"))?;
        Ok(home)
    }

    /// The folder that `rejoin serve` is given.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder that the disk layer watches.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The folder of the store.
    pub(crate) fn store(&self) -> PathBuf {
        self.data().join("sessions")
    }

    /// What all services that ran here have logged.
    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// The last lines of the log, for those who look for what went wrong.
    pub(crate) fn last_of_log(&self) -> String {
        let text = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// Makes the folder again as it is here, with the data of another moment.
    pub(crate) fn copy_without_data(&self, to: &Path) -> Result<Self> {
        for name in ["service.xml", "tokens"] {
            fs::create_dir_all(to)?;
            fs::copy(self.folder.join(name), to.join(name)).with_context(|| name.to_owned())?;
        }
        for name in ["data", BRIEF] {
            fs::create_dir(to.join(name))?;
            for file in ["resource.xml", "session.xml"] {
                fs::copy(self.folder.join(name).join(file), to.join(name).join(file))?;
            }
        }
        Ok(Self { folder: to.to_owned() })
    }
}

fn service(resources: &[&str]) -> String {
    let resources: String = resources
        .iter()
        .map(|name| format!("\n  <dataServiceResource name=\"{name}\" location=\"{name}/resource.xml\"/>"))
        .collect();
    format!(
        "<dataServiceConfiguration {CONFIG}>
  <listen address=\"127.0.0.1:0\"/>
  <authentication impl=\"bearer\"><tokens location=\"tokens\"/></authentication>{resources}
</dataServiceConfiguration>"
    )
}

fn resource(databases: &str) -> String {
    format!(
        "<dataServiceResourceConfiguration {CONFIG}>
  <sessionConfiguration location=\"session.xml\"/>
  {databases}
</dataServiceResourceConfiguration>"
    )
}

fn session(durability: Durability, lifetime: &str) -> String {
    let durability = match durability {
        Durability::Full => "full",
        Durability::Os => "os",
    };
    format!(
        "<sessionConfiguration {CONFIG}>
  <sessionManagerFactory impl=\"rejoin.DurableSessionManagerFactory\">
    <timeout default=\"PT1H\" max=\"PT24H\"/>
    <lifetime max=\"{lifetime}\"/>
    <join wait=\"10000\" maxWait=\"60000\" maxWaiters=\"128\"/>
    <replay answers=\"256\" answerBytes=\"262144\" retention=\"PT24H\"/>
    <store path=\"sessions\" durability=\"{durability}\"/>
  </sessionManagerFactory>
</sessionConfiguration>"
    )
}

fn session_of_transactions() -> String {
    format!(
        "<sessionConfiguration {CONFIG}>
  <sessionManagerFactory impl=\"rejoin.DurableSessionManagerFactory\">
    <timeout default=\"PT2S\" max=\"PT24H\"/>
    <join wait=\"10000\" maxWait=\"60000\" maxWaiters=\"128\"/>
    <expiry pollingTime=\"100\"/>
    <store path=\"sessions\" durability=\"os\"/>
    <sessionAttribute name=\"transactionManager\" impl=\"rejoin.TransactionManager\"><log path=\"transactions\"/></sessionAttribute>
  </sessionManagerFactory>
</sessionConfiguration>"
    )
}

fn tokens() -> String {
    let line = |name: &str, token: &str, role: &str| {
        let hash: String = Sha256::digest(token).iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{name}:{hash}:{role}\n")
    };
    line("client", USER, "user") + &line("operator", OPERATOR, "operator")
}
