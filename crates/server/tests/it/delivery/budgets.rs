//! How many messages may be sent.

use std::{net::IpAddr, time::Duration};

use countersign_service::address::Address;
use countersign_testkit::{database::Engine, house::House};

struct Sender(House);

impl Sender {
    async fn new() -> Self {
        Self(House::open(Engine::Sqlite).await)
    }

    /// May a message be sent? Where it may, it is counted.
    fn may(&self, to: &str, network: &str) -> Result<(), Duration> {
        let service = &self.0.node.service;
        let project = service.project(&Address { path: Some("p1".to_owned()), host: None }).unwrap();
        let network: IpAddr = network.parse().unwrap();
        service.take_sending_budget(&project, &to.parse().unwrap(), network).map_err(|refused| refused.retry_after)
    }

    async fn wait(&self, seconds: u64) {
        self.0.advance(Duration::from_secs(seconds)).await;
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn one_address_gets_five_in_ten_minutes_and_thirty_seconds_between() {
    let sender = Sender::new().await;
    let to = "ada@example.com";
    for network in ["10.0.1.1", "10.0.2.1", "10.0.3.1", "10.0.4.1"] {
        assert_eq!(sender.may(to, network), Ok(()));
        assert_eq!(sender.may(to, "10.0.9.1"), Err(30 * SECOND), "from wherever it is asked for");
        sender.wait(29).await;
        assert_eq!(sender.may(to, network), Err(SECOND));
        sender.wait(1).await;
    }
    assert_eq!(sender.may(to, "10.0.5.1"), Ok(()));
    sender.wait(30).await;
    assert_eq!(sender.may(to, "10.0.6.1"), Err(450 * SECOND), "the sixth");
    assert_eq!(sender.may("ADA@example.com", "10.0.6.1"), Err(450 * SECOND), "by another spelling");
    assert_eq!(sender.may("bob@example.com", "10.0.6.1"), Ok(()), "others aren't concerned");
    sender.wait(449).await;
    assert_eq!(sender.may(to, "10.0.6.1"), Err(SECOND));
    sender.wait(1).await;
    assert_eq!(sender.may(to, "10.0.6.1"), Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_network_has_so_many_for_all_addresses() {
    let sender = Sender::new().await;
    sender.0.set(&["limits.messages.network=10"]).await;
    for number in 0..10 {
        assert_eq!(sender.may(&format!("user{number}@example.com"), &format!("10.0.1.{number}")), Ok(()));
    }
    assert_eq!(sender.may("one-more@example.com", "10.0.1.99"), Err(360 * SECOND));
    assert_eq!(sender.may("one-more@example.com", "10.0.2.1"), Ok(()), "who was refused cost the address nothing");
    sender.wait(360).await;
    assert_eq!(sender.may("two-more@example.com", "10.0.1.99"), Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_telephones_of_one_country_have_so_many_from_all_networks() {
    let sender = Sender::new().await;
    sender.0.set(&["limits.messages.country=5"]).await;
    for number in 0..5 {
        assert_eq!(sender.may(&format!("+4915112345{number:03}"), &format!("10.0.{number}.1")), Ok(()));
    }
    assert_eq!(sender.may("+4915112345999", "10.0.9.1"), Err(720 * SECOND));
    assert_eq!(sender.may("+4315112345999", "10.0.9.1"), Ok(()), "another country");
    assert_eq!(sender.may("ada@example.com", "10.0.9.1"), Ok(()), "mail");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_development_twenty_may_be_sent_to_one_address_in_a_minute() {
    let sender = Sender(House::in_development(Engine::Sqlite).await);
    for _ in 0..20 {
        assert_eq!(sender.may("ada@example.com", "127.0.0.1"), Ok(()));
    }
    let more = (0..100).filter(|_| sender.may("ada@example.com", "127.0.0.1").is_ok()).count();
    assert!(more < 100, "there is an end to it all the same");
}
