//! Answers of the API as they are documented.

use super::{read_instances, read_zones};
use std::collections::BTreeMap;

const INSTANCES: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
  <requestId>1</requestId>
  <reservationSet><item><reservationId>r-1</reservationId><ownerId>111</ownerId><instancesSet>
    <item><instanceId>i-1</instanceId><imageId>ami-1</imageId><instanceState><code>16</code><name>running</name></instanceState>
      <privateDnsName>ip-10-0-0-1.internal</privateDnsName><dnsName/><instanceType>t3.micro</instanceType>
      <placement><availabilityZone>eu-1a</availabilityZone></placement>
      <subnetId>subnet-1</subnetId><vpcId>vpc-1</vpcId><privateIpAddress>10.0.0.1</privateIpAddress>
      <ipAddress>54.1.2.3</ipAddress><architecture>x86_64</architecture>
      <tagSet><item><key>Name</key><value>web &amp; more</value></item><item><key>a-b</key><value>c</value></item></tagSet>
      <networkInterfaceSet>
        <item><subnetId>subnet-1</subnetId><attachment><deviceIndex>1</deviceIndex></attachment>
          <ipv6AddressesSet><item><ipv6Address>2001:db8::1</ipv6Address><isPrimaryIpv6>true</isPrimaryIpv6></item></ipv6AddressesSet></item>
        <item><subnetId>subnet-2</subnetId><attachment><deviceIndex>0</deviceIndex></attachment></item>
      </networkInterfaceSet></item>
    <item><instanceId>i-2</instanceId><instanceState><name>terminated</name></instanceState></item>
  </instancesSet></item></reservationSet>
  <nextToken>more</nextToken>
</DescribeInstancesResponse>"#;

#[test]
fn reads_answers() {
    let zones = read_zones(
        "<R><availabilityZoneInfo><item><zoneName>eu-1a</zoneName><zoneId>z1</zoneId></item></availabilityZoneInfo></R>",
    )
    .expect("zones");
    assert_eq!(
        zones,
        BTreeMap::from([("eu-1a".to_owned(), "z1".to_owned())])
    );
    let mut targets = Vec::new();
    let next = read_instances(INSTANCES, ("eu-1", 9100, &zones), &mut targets);
    assert_eq!(next.as_deref(), Ok("more"));
    let shown: Vec<String> = targets
        .iter()
        .map(|target| target.labels().to_string())
        .collect();
    let want = [
        r#"__address__="10.0.0.1:9100""#,
        r#"__meta_ec2_ami="ami-1""#,
        r#"__meta_ec2_architecture="x86_64""#,
        r#"__meta_ec2_availability_zone="eu-1a""#,
        r#"__meta_ec2_availability_zone_id="z1""#,
        r#"__meta_ec2_instance_id="i-1""#,
        r#"__meta_ec2_instance_state="running""#,
        r#"__meta_ec2_instance_type="t3.micro""#,
        r#"__meta_ec2_ipv6_addresses=",2001:db8::1,""#,
        r#"__meta_ec2_owner_id="111""#,
        r#"__meta_ec2_primary_ipv6_addresses=",,2001:db8::1,""#,
        r#"__meta_ec2_primary_subnet_id="subnet-1""#,
        r#"__meta_ec2_private_dns_name="ip-10-0-0-1.internal""#,
        r#"__meta_ec2_private_ip="10.0.0.1""#,
        r#"__meta_ec2_public_ip="54.1.2.3""#,
        r#"__meta_ec2_region="eu-1""#,
        r#"__meta_ec2_subnet_id=",subnet-1,subnet-2,""#,
        r#"__meta_ec2_tag_Name="web & more""#,
        r#"__meta_ec2_tag_a_b="c""#,
        r#"__meta_ec2_vpc_id="vpc-1""#,
    ];
    assert_eq!(shown, [format!("{{{}}}", want.join(", "))]);
    assert!(read_instances("<a", ("", 1, &zones), &mut targets).is_err());
}
