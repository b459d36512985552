//! Temporary credentials, which the sandbox knows nothing of: an STS that hands them out, and a door-keeper that checks
//! what is signed with them and signs it again as the sandbox's admin.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use time::PrimitiveDateTime;
use time::macros::format_description;

pub const ID: &str = "ASIAKMSLABSESSION001";
pub const SECRET: &str = "session/Secret+of+nobody/0123456789abcdefgh";
pub const TOKEN: &str = "IQoJb3JpZ2luX2VjKMSLABTOKEN//////////wEaCXVzLWVhc3QtMSJHMEUCIQ";

/// The answer to AssumeRole; `None` to any other request.
pub fn assumed_role(request: &str) -> Option<String> {
    let body = format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
         <AccessKeyId>{ID}</AccessKeyId><SecretAccessKey>{SECRET}</SecretAccessKey>\
         <SessionToken>{TOKEN}</SessionToken><Expiration>2199-01-01T00:00:00Z</Expiration></Credentials>\
         <AssumedRoleUser><AssumedRoleId>AROAKMSLABROLE000001:lab</AssumedRoleId>\
         <Arn>arn:aws:sts::111122223333:assumed-role/lab-admin/lab</Arn></AssumedRoleUser></AssumeRoleResult>\
         <ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></AssumeRoleResponse>"
    );
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n", body.len());
    request.contains("Action=AssumeRole&").then(|| head + &body)
}

/// A request with the session's token as one of the admin; any other as it came.
pub fn as_admin(request: &str, admin_id: &str, admin_secret: &str) -> String {
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let mut lines = head.split("\r\n");
    let first = lines.next().unwrap();
    let mut headers: Vec<(String, &str)> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .collect();
    let value = |headers: &[(String, &str)], name: &str| {
        headers.iter().find(|(other, _)| other == name).map(|(_, value)| (*value).to_owned())
    };
    let Some(token) = value(&headers, "x-amz-security-token") else { return request.to_owned() };
    assert_eq!(token, TOKEN);
    let sent = value(&headers, "authorization").unwrap();
    assert_eq!(authorization(first, &headers, body, ID, SECRET, &sent), sent, "signed with the session's secret");

    headers.retain(|(name, _)| name != "x-amz-security-token");
    let again = authorization(first, &headers, body, admin_id, admin_secret, &sent);
    let headers = headers.into_iter().map(|(name, value)| {
        let value = if name == "authorization" { again.as_str() } else { value };
        format!("{name}: {value}\r\n")
    });
    format!("{first}\r\n{}\r\n{body}", headers.collect::<String>())
}

/// The value of `Authorization` for what `sent` says it has signed, as far as it is there.
fn authorization(first: &str, headers: &[(String, &str)], body: &str, id: &str, secret: &str, sent: &str) -> String {
    let part = |name: &str| sent.split([' ', ',']).find_map(|part| part.strip_prefix(name)).unwrap();
    let scope: Vec<&str> = part("Credential=").split('/').skip(1).collect();
    let signed = part("SignedHeaders=").split(';');
    let signed: Vec<&(String, &str)> = signed.filter_map(|name| headers.iter().find(|(one, _)| one == name)).collect();
    let date = signed.iter().find(|(name, _)| name == "x-amz-date").unwrap().1;
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    let at = PrimitiveDateTime::parse(date, format).unwrap().assume_utc();
    let identity = Credentials::new(id, secret, None, None, "test").into();
    let mut settings = SigningSettings::default();
    settings.excluded_headers = None;
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(scope[1])
        .name(scope[2])
        .time(SystemTime::from(at))
        .settings(settings)
        .build()
        .unwrap()
        .into();
    let path = first.split(' ').nth(1).unwrap();
    let pairs = signed.iter().map(|(name, value)| (name.as_str(), *value));
    let request = SignableRequest::new("POST", path, pairs, SignableBody::Bytes(body.as_bytes())).unwrap();
    let signature = sign(request, &parameters).unwrap().into_parts().1;
    let names: Vec<&str> = signed.iter().map(|(name, _)| name.as_str()).collect();
    let (scope, names) = (scope.join("/"), names.join(";"));
    format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}")
}
