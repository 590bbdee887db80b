BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0008');
CREATE TABLE audit_events (
        id TEXT NOT NULL,
        at BIGINT NOT NULL,
        tenant_id TEXT NOT NULL,
        action TEXT NOT NULL,
        subject_kind TEXT NOT NULL,
        subject_id TEXT NOT NULL,
        actor_user_id TEXT,
        actor_credential_id TEXT,
        actor_via TEXT NOT NULL,
        actor_request_id TEXT,
        actor_address TEXT,
        details TEXT NOT NULL,
        CONSTRAINT pk_audit_events PRIMARY KEY (id)
    );
INSERT INTO "audit_events" VALUES('evt_03GANXBiJfhz087qgGokvz',1900000000000000,'ten_03GANXBiLkJR8MW1gIJF66','tenant.founded','tenant','ten_03GANXBiLkJR8MW1gIJF66',NULL,NULL,'first run',NULL,NULL,'{"user_id":"usr_03GANXBiLqR3fWQUJfrOhi"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiJkSjyq2gkLnFn2',1900000000000000,'ten_03GANXBiLkJR8MW1gIJF66','api_key.created','api_key','key_03GANXBiKmeer8ln9ePWNa','usr_03GANXBiLqR3fWQUJfrOhi','key_03GANXBiOEGc8AP40ytbYT','api','req_1Yxx7o9ZXZxF5V00000000','127.0.0.1','{"display":"bf_key_03GA\u2026UI3y","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiLqR3fWQUJfrOhi"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiO2onrSjJoZSivD',1900000000000000,'ten_03GANXBiLkJR8MW1gIJF66','api_key.created','api_key','key_03GANXBiKbRbz623XiCbJa','usr_03GANXBiLqR3fWQUJfrOhi','key_03GANXBiOEGc8AP40ytbYT','api','req_1Yxx7o9ZXZxF5V00000001','127.0.0.1','{"display":"bf_key_03GA\u2026RaEs","name":"test","scopes":["payouts","read"],"user_id":"usr_03GANXBiLqR3fWQUJfrOhi"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiMnzNa466kFAkLg',1900000000000000,'ten_03GANXBiLkJR8MW1gIJF66','api_key.created','api_key','key_03GANXBiJE73A34Gxf7YFz','usr_03GANXBiLqR3fWQUJfrOhi','key_03GANXBiOEGc8AP40ytbYT','api','req_1Yxx7o9ZXZxF5V00000002','127.0.0.1','{"display":"bf_key_03GA\u2026NXXe","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiLqR3fWQUJfrOhi"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiJvUzhr7LPAhcVl',1900000000000000,'ten_03GANXBiLkJR8MW1gIJF66','api_key.created','api_key','key_03GANXBiKyr8Wf0KnclMaI','usr_03GANXBiLqR3fWQUJfrOhi','key_03GANXBiOEGc8AP40ytbYT','api','req_1Yxx7o9ZXZxF5V00000003','127.0.0.1','{"display":"bf_key_03GA\u2026swZq","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiLqR3fWQUJfrOhi"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiOBNlOCQo16xPVG',1900000000000000,'ten_03GANXBiLkJR8MW1gIJF66','api_key.created','api_key','key_03GANXBiJmBGL8FqAUEg2h','usr_03GANXBiLqR3fWQUJfrOhi','key_03GANXBiOEGc8AP40ytbYT','api','req_1Yxx7o9ZXZxF5V00000004','127.0.0.1','{"display":"bf_key_03GA\u2026rBTo","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiLqR3fWQUJfrOhi"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiMoqk2QlivDbnkF',1900000000000000,'ten_03GANXBiLkJR8MW1gIJF66','api_key.created','api_key','key_03GANXBiNokZlIkw2YbnET','usr_03GANXBiLqR3fWQUJfrOhi','key_03GANXBiOEGc8AP40ytbYT','api','req_1Yxx7o9ZXZxF5V00000005','127.0.0.1','{"display":"bf_key_03GA\u2026mmeF","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiLqR3fWQUJfrOhi"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiLiZUPhpPYT2MFQ',1900000000000000,'ten_03GANXBiLkJR8MW1gIJF66','api_key.created','api_key','key_03GANXBiJhSoVX04cXKyfT','usr_03GANXBiLqR3fWQUJfrOhi','key_03GANXBiOEGc8AP40ytbYT','api','req_1Yxx7o9ZXZxF5V00000006','127.0.0.1','{"display":"bf_key_03GA\u20269xI4","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiLqR3fWQUJfrOhi"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiJHfe7GbvBhC8s5',1900000000000000,'ten_03GANXBiLkJR8MW1gIJF66','api_key.created','api_key','key_03GANXBiKXVaCR1dGUf7t9','usr_03GANXBiLqR3fWQUJfrOhi','key_03GANXBiOEGc8AP40ytbYT','api','req_1Yxx7o9ZXZxF5V00000007','127.0.0.1','{"display":"bf_key_03GA\u2026p7sD","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiLqR3fWQUJfrOhi"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiMd94HG9vkpBuTN',1900000000000000,'ten_03GANXBiLkJR8MW1gIJF66','api_key.created','api_key','key_03GANXBiN2FInWubGz76WK','usr_03GANXBiLqR3fWQUJfrOhi','key_03GANXBiOEGc8AP40ytbYT','api','req_1Yxx7o9ZXZxF5V00000008','127.0.0.1','{"display":"bf_key_03GA\u2026TBcX","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiLqR3fWQUJfrOhi"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiLFbLrEDLX0RqVC',1900000000000000,'ten_03GANXBiLkJR8MW1gIJF66','api_key.created','api_key','key_03GANXBiMETPR8I4nvoKVF','usr_03GANXBiLqR3fWQUJfrOhi','key_03GANXBiOEGc8AP40ytbYT','api','req_1Yxx7o9ZXZxF5V00000009','127.0.0.1','{"display":"bf_key_03GA\u2026ecuh","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiLqR3fWQUJfrOhi"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiMJLoDRrxuN0uv7',1900000000000000,'ten_03GANXBiLkJR8MW1gIJF66','api_key.disabled','api_key','key_03GANXBiJhSoVX04cXKyfT','usr_03GANXBiLqR3fWQUJfrOhi','key_03GANXBiOEGc8AP40ytbYT','api','req_1Yxx7o9ZXZxF5V0000000A','127.0.0.1','{}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiM4p0EqC1VXVKFr',1900000000000000,'ten_03GANXBiLkJR8MW1gIJF66','api_key.revoked','api_key','key_03GANXBiKXVaCR1dGUf7t9','usr_03GANXBiLqR3fWQUJfrOhi','key_03GANXBiOEGc8AP40ytbYT','api','req_1Yxx7o9ZXZxF5V0000000B','127.0.0.1','{"reason":"leaked"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiISHUpgsDO5Uk9m',1900000000000000,'ten_03GANXBiLkJR8MW1gIJF66','api_key.rotated','api_key','key_03GANXBiN2FInWubGz76WK','usr_03GANXBiLqR3fWQUJfrOhi','key_03GANXBiOEGc8AP40ytbYT','api','req_1Yxx7o9ZXZxF5V0000000C','127.0.0.1','{"display":"bf_key_03GA\u2026AM4C","overlap_seconds":60,"successor_id":"key_03GANXBiJmKdHCXhPLvini"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiMmmMqKfw7ee8s7',1900000000000000,'ten_03GANXBiLkJR8MW1gIJF66','api_key.rotated','api_key','key_03GANXBiMETPR8I4nvoKVF','usr_03GANXBiLqR3fWQUJfrOhi','key_03GANXBiOEGc8AP40ytbYT','api','req_1Yxx7o9ZXZxF5V0000000D','127.0.0.1','{"display":"bf_key_03GA\u2026VUb2","overlap_seconds":3600,"successor_id":"key_03GANXBiKohYpBKdlBEfr0"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiIrfOHisQL8fQFJ',1900000000000000,'ten_03GANXBiLkJR8MW1gIJF66','api_key.revoked','api_key','key_03GANXBiMETPR8I4nvoKVF','usr_03GANXBiLqR3fWQUJfrOhi','key_03GANXBiOEGc8AP40ytbYT','api','req_1Yxx7o9ZXZxF5V0000000E','127.0.0.1','{}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiMCGPlp5VsCZZ6n',1900000000000000,'ten_03GANXBiLkJR8MW1gIJF66','user.created','user','usr_03GANXBiO9Q7P6ZcYmjpuO','usr_03GANXBiLqR3fWQUJfrOhi','key_03GANXBiOEGc8AP40ytbYT','api','req_1Yxx7o9ZXZxF5V0000000F','127.0.0.1','{"kind":"service","role":"member","scopes":null}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiN4VcYuVqmfLFst',1900000000000000,'ten_03GANXBiLkJR8MW1gIJF66','api_key.created','api_key','key_03GANXBiL7d6xxOthE1dyO','usr_03GANXBiLqR3fWQUJfrOhi','key_03GANXBiOEGc8AP40ytbYT','api','req_1Yxx7o9ZXZxF5V0000000G','127.0.0.1','{"display":"bf_key_03GA\u2026XTnc","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiO9Q7P6ZcYmjpuO"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiLXbsatTn7BPInG',1900000000000000,'ten_03GANXBiLkJR8MW1gIJF66','user.changed','user','usr_03GANXBiO9Q7P6ZcYmjpuO','usr_03GANXBiLqR3fWQUJfrOhi','key_03GANXBiOEGc8AP40ytbYT','api','req_1Yxx7o9ZXZxF5V0000000H','127.0.0.1','{"status":"disabled"}');
CREATE TABLE authorization_codes (
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        client_id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        session_id TEXT,
        redirect_uri TEXT NOT NULL,
        redirect_uri_given BOOLEAN NOT NULL,
        code_challenge TEXT,
        scopes TEXT NOT NULL,
        resources TEXT NOT NULL,
        authenticated_at BIGINT NOT NULL,
        methods TEXT NOT NULL,
        acr TEXT,
        nonce TEXT,
        claims TEXT NOT NULL,
        jkt TEXT,
        grant_id TEXT,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        CONSTRAINT pk_authorization_codes PRIMARY KEY (digest),
        CONSTRAINT fk_authorization_codes_tenant_id_user_id FOREIGN KEY(tenant_id, user_id)
            REFERENCES users (tenant_id, id),
        CONSTRAINT ck_authorization_codes_digest_length CHECK (length(digest) = 32),
        CONSTRAINT fk_authorization_codes_client_id FOREIGN KEY(client_id) REFERENCES clients (id)
    );
CREATE TABLE "changes" (
        sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        transaction_id BIGINT NOT NULL,
        kind VARCHAR(32) NOT NULL,
        subject_id TEXT NOT NULL,
        at BIGINT NOT NULL,
        CONSTRAINT ck_changes_kind CHECK (kind IN ('credential_created', 'credential', 'user', 'tenant', 'plan', 'signing_key'))
    );
INSERT INTO "changes" VALUES(1,0,'plan','free',1900000000000000);
INSERT INTO "changes" VALUES(2,0,'plan','pro',1900000000000000);
INSERT INTO "changes" VALUES(3,0,'plan','enterprise',1900000000000000);
INSERT INTO "changes" VALUES(4,0,'tenant','ten_03GANXBiLkJR8MW1gIJF66',1900000000000000);
INSERT INTO "changes" VALUES(5,0,'user','usr_03GANXBiLqR3fWQUJfrOhi',1900000000000000);
INSERT INTO "changes" VALUES(6,0,'credential_created','key_03GANXBiOEGc8AP40ytbYT',1900000000000000);
INSERT INTO "changes" VALUES(7,0,'credential_created','key_03GANXBiKmeer8ln9ePWNa',1900000000000000);
INSERT INTO "changes" VALUES(8,0,'credential_created','key_03GANXBiKbRbz623XiCbJa',1900000000000000);
INSERT INTO "changes" VALUES(9,0,'credential_created','key_03GANXBiJE73A34Gxf7YFz',1900000000000000);
INSERT INTO "changes" VALUES(10,0,'credential_created','key_03GANXBiKyr8Wf0KnclMaI',1900000000000000);
INSERT INTO "changes" VALUES(11,0,'credential_created','key_03GANXBiJmBGL8FqAUEg2h',1900000000000000);
INSERT INTO "changes" VALUES(12,0,'credential_created','key_03GANXBiNokZlIkw2YbnET',1900000000000000);
INSERT INTO "changes" VALUES(13,0,'credential_created','key_03GANXBiJhSoVX04cXKyfT',1900000000000000);
INSERT INTO "changes" VALUES(14,0,'credential_created','key_03GANXBiKXVaCR1dGUf7t9',1900000000000000);
INSERT INTO "changes" VALUES(15,0,'credential_created','key_03GANXBiN2FInWubGz76WK',1900000000000000);
INSERT INTO "changes" VALUES(16,0,'credential_created','key_03GANXBiMETPR8I4nvoKVF',1900000000000000);
INSERT INTO "changes" VALUES(17,0,'credential','key_03GANXBiJhSoVX04cXKyfT',1900000000000000);
INSERT INTO "changes" VALUES(18,0,'credential','key_03GANXBiKXVaCR1dGUf7t9',1900000000000000);
INSERT INTO "changes" VALUES(19,0,'credential','key_03GANXBiN2FInWubGz76WK',1900000000000000);
INSERT INTO "changes" VALUES(20,0,'credential_created','key_03GANXBiJmKdHCXhPLvini',1900000000000000);
INSERT INTO "changes" VALUES(21,0,'credential','key_03GANXBiMETPR8I4nvoKVF',1900000000000000);
INSERT INTO "changes" VALUES(22,0,'credential_created','key_03GANXBiKohYpBKdlBEfr0',1900000000000000);
INSERT INTO "changes" VALUES(23,0,'credential','key_03GANXBiMETPR8I4nvoKVF',1900000000000000);
INSERT INTO "changes" VALUES(24,0,'credential','key_03GANXBiKohYpBKdlBEfr0',1900000000000000);
INSERT INTO "changes" VALUES(25,0,'user','usr_03GANXBiO9Q7P6ZcYmjpuO',1900000000000000);
INSERT INTO "changes" VALUES(26,0,'credential_created','key_03GANXBiL7d6xxOthE1dyO',1900000000000000);
INSERT INTO "changes" VALUES(27,0,'user','usr_03GANXBiO9Q7P6ZcYmjpuO',1900000000000000);
CREATE TABLE client_secrets (
        id TEXT NOT NULL,
        client_id TEXT NOT NULL,
        name TEXT NOT NULL,
        display TEXT NOT NULL,
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        created_by TEXT,
        created_at BIGINT NOT NULL,
        expires_at BIGINT,
        CONSTRAINT pk_client_secrets PRIMARY KEY (id),
        CONSTRAINT ck_client_secrets_name_length CHECK (length(name) BETWEEN 1 AND 255),
        CONSTRAINT ck_client_secrets_digest_length CHECK (length(digest) = 32),
        CONSTRAINT fk_client_secrets_client_id FOREIGN KEY(client_id) REFERENCES clients (id),
        CONSTRAINT uq_client_secrets_digest UNIQUE (digest)
    );
CREATE TABLE clients (
        id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        name TEXT NOT NULL,
        grant_types TEXT NOT NULL,
        response_types TEXT NOT NULL,
        redirect_uris TEXT NOT NULL,
        post_logout_redirect_uris TEXT NOT NULL,
        scopes TEXT NOT NULL,
        audiences TEXT NOT NULL,
        token_endpoint_auth_method VARCHAR(32) NOT NULL,
        jwks TEXT NOT NULL,
        metadata TEXT NOT NULL,
        require_pkce BOOLEAN NOT NULL,
        first_party BOOLEAN NOT NULL,
        dpop_bound BOOLEAN NOT NULL,
        token_format VARCHAR(32) NOT NULL,
        access_token_seconds BIGINT,
        registered BOOLEAN NOT NULL,
        registration_digest BLOB,
        registration_pepper_id TEXT,
        created_by TEXT,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        CONSTRAINT pk_clients PRIMARY KEY (id),
        CONSTRAINT fk_clients_tenant_id_id FOREIGN KEY(tenant_id, id) REFERENCES users (tenant_id, id),
        CONSTRAINT ck_clients_name_length CHECK (length(name) BETWEEN 1 AND 255),
        CONSTRAINT ck_clients_access_token_seconds CHECK (access_token_seconds > 0),
        CONSTRAINT ck_clients_registration_pepper_id
            CHECK ((registration_digest IS NULL) = (registration_pepper_id IS NULL)),
        CONSTRAINT ck_clients_token_endpoint_auth_method
            CHECK (token_endpoint_auth_method IN ('client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none')),
        CONSTRAINT ck_clients_token_format CHECK (token_format IN ('opaque', 'jwt'))
    );
CREATE TABLE consents (
        id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        client_id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        scopes TEXT NOT NULL,
        resources TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        CONSTRAINT pk_consents PRIMARY KEY (id),
        CONSTRAINT fk_consents_tenant_id_user_id FOREIGN KEY(tenant_id, user_id)
            REFERENCES users (tenant_id, id),
        CONSTRAINT uq_consents_user_id_client_id UNIQUE (user_id, client_id),
        CONSTRAINT fk_consents_client_id FOREIGN KEY(client_id) REFERENCES clients (id)
    );
CREATE TABLE credentials (
        id TEXT NOT NULL,
        kind VARCHAR(32) NOT NULL,
        tenant_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        name TEXT NOT NULL,
        scopes TEXT NOT NULL,
        plan TEXT,
        status VARCHAR(32) NOT NULL,
        expires_at BIGINT,
        overlap_ends_at BIGINT,
        parent_id TEXT,
        root_id TEXT NOT NULL,
        allowed_ips TEXT NOT NULL,
        metadata TEXT NOT NULL,
        display TEXT NOT NULL,
        created_by TEXT,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        last_used_at BIGINT,
        revoked_at BIGINT,
        revocation_reason TEXT,
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL, bearer_token_seconds BIGINT
        CONSTRAINT ck_credentials_bearer_token_seconds CHECK (bearer_token_seconds > 0), client_id TEXT, audiences TEXT, jkt TEXT,
        CONSTRAINT pk_credentials PRIMARY KEY (id),
        CONSTRAINT fk_credentials_tenant_id_user_id FOREIGN KEY(tenant_id, user_id) REFERENCES users (tenant_id, id),
        CONSTRAINT fk_credentials_tenant_id_parent_id FOREIGN KEY(tenant_id, parent_id) REFERENCES credentials (tenant_id, id),
        CONSTRAINT uq_credentials_tenant_id_id UNIQUE (tenant_id, id),
        CONSTRAINT ck_credentials_digest_length CHECK (length(digest) = 32),
        CONSTRAINT ck_credentials_name_length CHECK (length(name) <= 255),
        CONSTRAINT ck_credentials_scopes_length CHECK (length(scopes) <= 8192),
        CONSTRAINT ck_credentials_metadata_length CHECK (length(metadata) <= 131072),
        CONSTRAINT ck_credentials_lineage CHECK ((parent_id IS NULL) = (root_id = id)),
        CONSTRAINT ck_credentials_revoked CHECK ((status = 'revoked') = (revoked_at IS NOT NULL)),
        CONSTRAINT ck_credentials_revocation_reason CHECK (revocation_reason IS NULL OR status = 'revoked'),
        CONSTRAINT ck_credentials_kind CHECK (kind IN ('api_key', 'bearer_token', 'personal_access_token', 'oauth_access_token', 'jwt_session')),
        CONSTRAINT fk_credentials_plan FOREIGN KEY(plan) REFERENCES plans (name) ON DELETE SET NULL,
        CONSTRAINT ck_credentials_status CHECK (status IN ('active', 'disabled', 'revoked')),
        CONSTRAINT uq_credentials_digest UNIQUE (digest)
    );
INSERT INTO "credentials" VALUES('key_03GANXBiOEGc8AP40ytbYT','api_key','ten_03GANXBiLkJR8MW1gIJF66','usr_03GANXBiLqR3fWQUJfrOhi','admin','admin credentials:verify payouts read write','enterprise','active',NULL,NULL,NULL,'key_03GANXBiOEGc8AP40ytbYT','','{}','bf_key_03GA…ykli','usr_03GANXBiLqR3fWQUJfrOhi',1900000000000000,1900000000000000,1900000000000000,NULL,NULL,X'296BEBCD458EB8E5E4C59025494CFC83D83C384B9D5BD5F66B918533387A9160','e18a51f90c52',NULL,NULL,'',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiKmeer8ln9ePWNa','api_key','ten_03GANXBiLkJR8MW1gIJF66','usr_03GANXBiLqR3fWQUJfrOhi','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiKmeer8ln9ePWNa','','{}','bf_key_03GA…UI3y','usr_03GANXBiLqR3fWQUJfrOhi',1900000000000000,1900000000000000,NULL,NULL,NULL,X'D49A20E686AA2CAC8B11797B5655F219669F0854B1CCB1102BE5473FA531D9F8','e18a51f90c52',NULL,NULL,'',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiKbRbz623XiCbJa','api_key','ten_03GANXBiLkJR8MW1gIJF66','usr_03GANXBiLqR3fWQUJfrOhi','test','payouts read',NULL,'active',NULL,NULL,NULL,'key_03GANXBiKbRbz623XiCbJa','','{}','bf_key_03GA…RaEs','usr_03GANXBiLqR3fWQUJfrOhi',1900000000000000,1900000000000000,NULL,NULL,NULL,X'ACA3D69F158BFA64E419B625FD2C7F64035B55760D8FA8E4A4AB765BDB3544EE','e18a51f90c52',NULL,NULL,'',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiJE73A34Gxf7YFz','api_key','ten_03GANXBiLkJR8MW1gIJF66','usr_03GANXBiLqR3fWQUJfrOhi','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiJE73A34Gxf7YFz','192.0.2.0/24','{}','bf_key_03GA…NXXe','usr_03GANXBiLqR3fWQUJfrOhi',1900000000000000,1900000000000000,NULL,NULL,NULL,X'043271D060A78BB13AAC8EAA3A8533F9D6B15E3BE91BE9BFA85A7E604F26B421','e18a51f90c52',NULL,NULL,'',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiKyr8Wf0KnclMaI','api_key','ten_03GANXBiLkJR8MW1gIJF66','usr_03GANXBiLqR3fWQUJfrOhi','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiKyr8Wf0KnclMaI','127.0.0.1/32 ::1/128','{"note":"\u00e9"}','bf_key_03GA…swZq','usr_03GANXBiLqR3fWQUJfrOhi',1900000000000000,1900000000000000,NULL,NULL,NULL,X'6ABF696B3D9E4992AD5B6D7EF8555F2F9A38870FCD773F3126D7BC1ADC039B05','e18a51f90c52',NULL,NULL,'',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiJmBGL8FqAUEg2h','api_key','ten_03GANXBiLkJR8MW1gIJF66','usr_03GANXBiLqR3fWQUJfrOhi','test','read write',NULL,'active',2215360000000000,NULL,NULL,'key_03GANXBiJmBGL8FqAUEg2h','','{}','bf_key_03GA…rBTo','usr_03GANXBiLqR3fWQUJfrOhi',1900000000000000,1900000000000000,NULL,NULL,NULL,X'84467FD4BF129D63F6EDCCE836E0E51DEF15218E3E3BD13E0891419BA7A8F440','e18a51f90c52',NULL,NULL,'',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiNokZlIkw2YbnET','api_key','ten_03GANXBiLkJR8MW1gIJF66','usr_03GANXBiLqR3fWQUJfrOhi','test','read write',NULL,'active',1900000060000000,NULL,NULL,'key_03GANXBiNokZlIkw2YbnET','','{}','bf_key_03GA…mmeF','usr_03GANXBiLqR3fWQUJfrOhi',1900000000000000,1900000000000000,NULL,NULL,NULL,X'2441DD9821BEF9108444E452017BB09FFE5BB7752705AB4FEB4CD51C4EC8EFD9','e18a51f90c52',NULL,NULL,'',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiJhSoVX04cXKyfT','api_key','ten_03GANXBiLkJR8MW1gIJF66','usr_03GANXBiLqR3fWQUJfrOhi','test','read write',NULL,'disabled',NULL,NULL,NULL,'key_03GANXBiJhSoVX04cXKyfT','','{}','bf_key_03GA…9xI4','usr_03GANXBiLqR3fWQUJfrOhi',1900000000000000,1900000000000000,NULL,NULL,NULL,X'780BCBF4B0EBAB6A2686767107EE1A42E4717748B188859AA4B42547C9009C56','e18a51f90c52',NULL,NULL,'',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiKXVaCR1dGUf7t9','api_key','ten_03GANXBiLkJR8MW1gIJF66','usr_03GANXBiLqR3fWQUJfrOhi','test','read write',NULL,'revoked',NULL,NULL,NULL,'key_03GANXBiKXVaCR1dGUf7t9','','{}','bf_key_03GA…p7sD','usr_03GANXBiLqR3fWQUJfrOhi',1900000000000000,1900000000000000,NULL,1900000000000000,'leaked',X'59B639864A313AE5E02E82EBA5F8E5E6DE0A347849B572BC1ED8876A330479C1','e18a51f90c52',NULL,NULL,'',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiN2FInWubGz76WK','api_key','ten_03GANXBiLkJR8MW1gIJF66','usr_03GANXBiLqR3fWQUJfrOhi','test','read write',NULL,'active',NULL,1900000060000000,NULL,'key_03GANXBiN2FInWubGz76WK','','{}','bf_key_03GA…TBcX','usr_03GANXBiLqR3fWQUJfrOhi',1900000000000000,1900000000000000,NULL,NULL,NULL,X'F8FDCB47E442356630F53EFBAB712DF50F2CA1ED1B635B8E6C1A3AA24C5D23F3','e18a51f90c52',NULL,NULL,'',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiMETPR8I4nvoKVF','api_key','ten_03GANXBiLkJR8MW1gIJF66','usr_03GANXBiLqR3fWQUJfrOhi','test','read write',NULL,'revoked',NULL,1900003600000000,NULL,'key_03GANXBiMETPR8I4nvoKVF','','{}','bf_key_03GA…ecuh','usr_03GANXBiLqR3fWQUJfrOhi',1900000000000000,1900000000000000,NULL,1900000000000000,NULL,X'99479CC423A47FC0E0BB3738953C515BF883EB18EEF5BF7F1276BC51C31D9A02','e18a51f90c52',NULL,NULL,'',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiJmKdHCXhPLvini','api_key','ten_03GANXBiLkJR8MW1gIJF66','usr_03GANXBiLqR3fWQUJfrOhi','test','read write',NULL,'active',NULL,NULL,'key_03GANXBiN2FInWubGz76WK','key_03GANXBiN2FInWubGz76WK','','{}','bf_key_03GA…AM4C','usr_03GANXBiLqR3fWQUJfrOhi',1900000000000000,1900000000000000,NULL,NULL,NULL,X'FBCA6C819077FE851D0C2B0F53FC77828A946F073106F51558B6F17723495D98','e18a51f90c52',NULL,NULL,'',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiKohYpBKdlBEfr0','api_key','ten_03GANXBiLkJR8MW1gIJF66','usr_03GANXBiLqR3fWQUJfrOhi','test','read write',NULL,'revoked',NULL,NULL,'key_03GANXBiMETPR8I4nvoKVF','key_03GANXBiMETPR8I4nvoKVF','','{}','bf_key_03GA…VUb2','usr_03GANXBiLqR3fWQUJfrOhi',1900000000000000,1900000000000000,NULL,1900000000000000,'parent revoked',X'C99ABDF7A3D90373A6682E5529878E70BD64D24BEEC1E4850A9F405CDAFA4854','e18a51f90c52',NULL,NULL,'',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiL7d6xxOthE1dyO','api_key','ten_03GANXBiLkJR8MW1gIJF66','usr_03GANXBiO9Q7P6ZcYmjpuO','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiL7d6xxOthE1dyO','','{}','bf_key_03GA…XTnc','usr_03GANXBiLqR3fWQUJfrOhi',1900000000000000,1900000000000000,NULL,NULL,NULL,X'1F399941101D9D84FFC7A6199CB7ED0DA7707E633B6BDD162CD5D500DAA8F730','e18a51f90c52',NULL,NULL,'',NULL);
CREATE TABLE denials (
        request_id TEXT NOT NULL,
        at BIGINT NOT NULL,
        tenant_id TEXT,
        user_id TEXT,
        credential_id TEXT,
        kind TEXT,
        reason TEXT NOT NULL,
        refused_by TEXT NOT NULL,
        figures TEXT NOT NULL,
        CONSTRAINT pk_denials PRIMARY KEY (request_id)
    );
CREATE TABLE device_codes (
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        user_code_digest BLOB NOT NULL,
        client_id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        scopes TEXT NOT NULL,
        resources TEXT NOT NULL,
        status VARCHAR(32) NOT NULL,
        interval_seconds BIGINT NOT NULL,
        polled_at BIGINT,
        user_id TEXT,
        session_id TEXT,
        authenticated_at BIGINT,
        methods TEXT NOT NULL,
        nonce TEXT,
        address TEXT,
        grant_id TEXT,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        CONSTRAINT pk_device_codes PRIMARY KEY (digest),
        CONSTRAINT ck_device_codes_digest_length CHECK (length(digest) = 32),
        CONSTRAINT ck_device_codes_user_code_digest_length CHECK (length(user_code_digest) = 32),
        CONSTRAINT ck_device_codes_user_id CHECK (user_id IS NOT NULL OR status = 'pending'),
        CONSTRAINT ck_device_codes_grant_id CHECK ((grant_id IS NOT NULL) = (status = 'redeemed')),
        CONSTRAINT ck_device_codes_interval_seconds CHECK (interval_seconds > 0),
        CONSTRAINT uq_device_codes_user_code_digest UNIQUE (user_code_digest),
        CONSTRAINT fk_device_codes_client_id FOREIGN KEY(client_id) REFERENCES clients (id),
        CONSTRAINT ck_device_codes_status CHECK (status IN ('pending', 'approved', 'denied', 'redeemed'))
    );
CREATE TABLE expiry_notices (
        credential_id TEXT NOT NULL,
        ends_at BIGINT NOT NULL,
        days BIGINT NOT NULL,
        CONSTRAINT pk_expiry_notices PRIMARY KEY (credential_id, ends_at, days)
    );
CREATE TABLE feed_bounds (
        id BIGINT NOT NULL,
        pruned_through BIGINT NOT NULL,
        CONSTRAINT pk_feed_bounds PRIMARY KEY (id),
        CONSTRAINT ck_feed_bounds_single CHECK (id = 1)
    );
INSERT INTO "feed_bounds" VALUES(1,0);
CREATE TABLE foreign_digests (
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        credential_id TEXT NOT NULL,
        prefix TEXT,
        hash TEXT,
        CONSTRAINT pk_foreign_digests PRIMARY KEY (digest),
        CONSTRAINT ck_foreign_digests_digest_length CHECK (length(digest) = 32),
        CONSTRAINT ck_foreign_digests_hash CHECK ((prefix IS NULL) = (hash IS NULL))
    ) WITHOUT ROWID
    ;
CREATE TABLE foreign_rules (
        id TEXT NOT NULL,
        scheme VARCHAR(32) NOT NULL,
        sealed_key BLOB NOT NULL,
        prefix_length BIGINT NOT NULL,
        CONSTRAINT pk_foreign_rules PRIMARY KEY (id),
        CONSTRAINT ck_foreign_rules_scheme CHECK (scheme IN ('plain', 'sha256', 'sha512', 'hmac-sha256', 'hash'))
    );
CREATE TABLE grant_refresh_tokens (
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        grant_id TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        spent_at BIGINT,
        successor BLOB,
        sealed_answer BLOB,
        CONSTRAINT pk_grant_refresh_tokens PRIMARY KEY (digest),
        CONSTRAINT ck_grant_refresh_tokens_digest_length CHECK (length(digest) = 32),
        CONSTRAINT ck_grant_refresh_tokens_successor CHECK ((spent_at IS NULL) = (successor IS NULL)),
        CONSTRAINT ck_grant_refresh_tokens_sealed_answer
            CHECK (sealed_answer IS NULL OR spent_at IS NOT NULL),
        CONSTRAINT fk_grant_refresh_tokens_grant_id FOREIGN KEY(grant_id)
            REFERENCES grants (id) ON DELETE CASCADE
    );
CREATE TABLE grants (
        id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        client_id TEXT NOT NULL,
        session_id TEXT,
        scopes TEXT NOT NULL,
        resources TEXT NOT NULL,
        authenticated_at BIGINT,
        methods TEXT NOT NULL,
        acr TEXT,
        nonce TEXT,
        claims TEXT NOT NULL,
        jkt TEXT,
        created_at BIGINT NOT NULL,
        ends_at BIGINT NOT NULL,
        CONSTRAINT pk_grants PRIMARY KEY (id),
        CONSTRAINT fk_grants_id FOREIGN KEY(id) REFERENCES credentials (id) ON DELETE CASCADE,
        CONSTRAINT fk_grants_client_id FOREIGN KEY(client_id) REFERENCES clients (id)
    );
CREATE TABLE guesses (
        subject TEXT NOT NULL,
        failures BIGINT NOT NULL,
        refused_until_us BIGINT NOT NULL,
        seen_us BIGINT NOT NULL,
        CONSTRAINT pk_guesses PRIMARY KEY (subject),
        CONSTRAINT ck_guesses_failures CHECK (failures >= 0)
    );
CREATE TABLE idempotency_claims (
        key_digest BLOB NOT NULL,
        request_digest BLOB NOT NULL,
        sealed_answer BLOB NOT NULL,
        expires_at BIGINT NOT NULL,
        CONSTRAINT pk_idempotency_claims PRIMARY KEY (key_digest)
    );
CREATE TABLE initial_access_tokens (
        id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        name TEXT NOT NULL,
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        display TEXT NOT NULL,
        scopes TEXT NOT NULL,
        uses_left BIGINT,
        created_by TEXT,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        CONSTRAINT pk_initial_access_tokens PRIMARY KEY (id),
        CONSTRAINT ck_initial_access_tokens_name_length CHECK (length(name) BETWEEN 1 AND 255),
        CONSTRAINT ck_initial_access_tokens_digest_length CHECK (length(digest) = 32),
        CONSTRAINT ck_initial_access_tokens_uses_left CHECK (uses_left >= 0),
        CONSTRAINT fk_initial_access_tokens_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (id),
        CONSTRAINT uq_initial_access_tokens_digest UNIQUE (digest)
    );
CREATE TABLE known_places (
        user_id TEXT NOT NULL,
        place TEXT NOT NULL,
        seen_at BIGINT NOT NULL,
        CONSTRAINT pk_known_places PRIMARY KEY (user_id, place),
        CONSTRAINT fk_known_places_user_id FOREIGN KEY(user_id) REFERENCES users (id)
    );
CREATE TABLE limit_holders (
        subject TEXT NOT NULL,
        holder TEXT NOT NULL,
        units BIGINT NOT NULL,
        until_us BIGINT NOT NULL,
        burst_ends_us BIGINT NOT NULL,
        CONSTRAINT pk_limit_holders PRIMARY KEY (subject, holder),
        CONSTRAINT ck_limit_holders_units CHECK (units > 0)
    );
CREATE TABLE limit_windows (
        subject TEXT NOT NULL,
        hour_ends_us BIGINT NOT NULL,
        hour_used BIGINT NOT NULL,
        burst_ends_us BIGINT NOT NULL,
        burst_used BIGINT NOT NULL,
        seen_us BIGINT NOT NULL,
        CONSTRAINT pk_limit_windows PRIMARY KEY (subject),
        CONSTRAINT ck_limit_windows_hour CHECK (hour_used >= 0),
        CONSTRAINT ck_limit_windows_burst CHECK (burst_used >= 0)
    );
CREATE TABLE one_time_secrets (
        id TEXT NOT NULL,
        purpose VARCHAR(32) NOT NULL,
        tenant_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        email_folded TEXT,
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        created_by TEXT,
        failures BIGINT NOT NULL,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        redeemed_at BIGINT,
        CONSTRAINT pk_one_time_secrets PRIMARY KEY (id),
        CONSTRAINT uq_one_time_secrets_digest UNIQUE (digest),
        CONSTRAINT fk_one_time_secrets_tenant_id_user_id FOREIGN KEY(tenant_id, user_id)
            REFERENCES users (tenant_id, id),
        CONSTRAINT ck_one_time_secrets_digest_length CHECK (length(digest) = 32),
        CONSTRAINT ck_one_time_secrets_failures CHECK (failures >= 0),
        CONSTRAINT ck_one_time_secrets_purpose CHECK (purpose IN ('invitation', 'password_reset', 'login'))
    );
CREATE TABLE passwords (
        user_id TEXT NOT NULL,
        user_kind VARCHAR(32) NOT NULL,
        hash TEXT NOT NULL,
        updated_at BIGINT NOT NULL,
        CONSTRAINT pk_passwords PRIMARY KEY (user_id),
        CONSTRAINT fk_passwords_user_id_user_kind FOREIGN KEY(user_id, user_kind) REFERENCES users (id, kind),
        CONSTRAINT ck_passwords_person CHECK (user_kind = 'person'),
        CONSTRAINT ck_passwords_hash_length CHECK (length(hash) BETWEEN 1 AND 1024),
        CONSTRAINT ck_passwords_user_kind CHECK (user_kind IN ('person', 'service'))
    );
INSERT INTO "passwords" VALUES('usr_03GANXBiLqR3fWQUJfrOhi','person','$argon2id$v=19$m=8,t=1,p=1$STGse2fVxfl9hQ9Rmq5B4Q$kJD6H2DX3OoHSPrMVfXvXBJ0CbrFnNjlL+8Jx2s8F9o',1900000000000000);
CREATE TABLE plans (
        name TEXT NOT NULL,
        requests_per_hour BIGINT,
        burst BIGINT,
        per_method TEXT NOT NULL,
        count_by VARCHAR(32) NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL, bearer_token_seconds BIGINT
        CONSTRAINT ck_plans_bearer_token_seconds CHECK (bearer_token_seconds > 0),
        CONSTRAINT pk_plans PRIMARY KEY (name),
        CONSTRAINT ck_plans_name_length CHECK (length(name) BETWEEN 1 AND 255),
        CONSTRAINT ck_plans_requests_per_hour CHECK (requests_per_hour >= 0),
        CONSTRAINT ck_plans_burst CHECK (burst >= 0),
        CONSTRAINT ck_plans_count_by CHECK (count_by IN ('credential', 'user', 'tenant'))
    );
INSERT INTO "plans" VALUES('free',1000,50,'{"api_key":1000,"bearer_token":2000,"jwt_session":2000,"oauth_access_token":5000,"personal_access_token":1000}','credential',1900000000000000,1900000000000000,NULL);
INSERT INTO "plans" VALUES('pro',10000,200,'{}','credential',1900000000000000,1900000000000000,NULL);
INSERT INTO "plans" VALUES('enterprise',NULL,1000,'{}','credential',1900000000000000,1900000000000000,NULL);
CREATE TABLE pushed_requests (
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        client_id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        parameters TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        spent_at BIGINT,
        CONSTRAINT pk_pushed_requests PRIMARY KEY (digest),
        CONSTRAINT ck_pushed_requests_digest_length CHECK (length(digest) = 32),
        CONSTRAINT fk_pushed_requests_client_id FOREIGN KEY(client_id) REFERENCES clients (id)
    );
CREATE TABLE recovery_codes (
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        redeemed_at BIGINT,
        CONSTRAINT pk_recovery_codes PRIMARY KEY (digest),
        CONSTRAINT fk_recovery_codes_user_id FOREIGN KEY(user_id) REFERENCES users (id),
        CONSTRAINT ck_recovery_codes_digest_length CHECK (length(digest) = 32)
    );
CREATE TABLE refresh_tokens (
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        session_id TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        spent_at BIGINT,
        successor BLOB,
        sealed_answer BLOB,
        CONSTRAINT pk_refresh_tokens PRIMARY KEY (digest),
        CONSTRAINT fk_refresh_tokens_session_id FOREIGN KEY(session_id) REFERENCES sessions (id) ON DELETE CASCADE,
        CONSTRAINT ck_refresh_tokens_digest_length CHECK (length(digest) = 32),
        CONSTRAINT ck_refresh_tokens_successor CHECK ((spent_at IS NULL) = (successor IS NULL)),
        CONSTRAINT ck_refresh_tokens_sealed_answer CHECK (sealed_answer IS NULL OR spent_at IS NOT NULL)
    );
CREATE TABLE sessions (
        id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        device TEXT NOT NULL,
        address TEXT,
        methods TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        seen_at BIGINT NOT NULL,
        authenticated_at BIGINT NOT NULL,
        ends_at BIGINT NOT NULL,
        CONSTRAINT pk_sessions PRIMARY KEY (id),
        CONSTRAINT fk_sessions_id FOREIGN KEY(id) REFERENCES credentials (id) ON DELETE CASCADE,
        CONSTRAINT ck_sessions_device_length CHECK (length(device) <= 255)
    );
CREATE TABLE signing_keys (
        kid TEXT NOT NULL,
        algorithm VARCHAR(32) NOT NULL,
        status VARCHAR(32) NOT NULL,
        public_jwk TEXT NOT NULL,
        sealed BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        activated_at BIGINT,
        retired_at BIGINT,
        published_until BIGINT,
        CONSTRAINT pk_signing_keys PRIMARY KEY (kid),
        CONSTRAINT ck_signing_keys_algorithm CHECK (algorithm IN ('EdDSA', 'ES256', 'RS256')),
        CONSTRAINT ck_signing_keys_status CHECK (status IN ('next', 'current', 'retired')),
        CONSTRAINT ck_signing_keys_retired CHECK ((status = 'retired') = (retired_at IS NOT NULL)),
        CONSTRAINT ck_signing_keys_published_until CHECK ((retired_at IS NULL) = (published_until IS NULL))
    );
CREATE TABLE spent_assertions (
        digest BLOB NOT NULL,
        expires_at BIGINT NOT NULL,
        CONSTRAINT pk_spent_assertions PRIMARY KEY (digest),
        CONSTRAINT ck_spent_assertions_digest_length CHECK (length(digest) = 32)
    );
CREATE TABLE tenants (
        id TEXT NOT NULL,
        name TEXT NOT NULL,
        status VARCHAR(32) NOT NULL,
        plan TEXT,
        operator BOOLEAN NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL, personal_access_token_seconds_max BIGINT
        CONSTRAINT ck_tenants_personal_access_token_seconds_max CHECK (personal_access_token_seconds_max > 0),
        CONSTRAINT pk_tenants PRIMARY KEY (id),
        CONSTRAINT ck_tenants_name_length CHECK (length(name) BETWEEN 1 AND 255),
        CONSTRAINT ck_tenants_plan CHECK (plan IS NOT NULL OR status = 'deleted'),
        CONSTRAINT ck_tenants_operator_active CHECK (NOT operator OR status = 'active'),
        CONSTRAINT ck_tenants_status CHECK (status IN ('active', 'disabled', 'deleted')),
        CONSTRAINT fk_tenants_plan FOREIGN KEY(plan) REFERENCES plans (name) ON DELETE SET NULL
    );
INSERT INTO "tenants" VALUES('ten_03GANXBiLkJR8MW1gIJF66','default','active','free',1,1900000000000000,1900000000000000,NULL);
CREATE TABLE totp_factors (
        user_id TEXT NOT NULL,
        sealed BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        last_counter BIGINT NOT NULL,
        created_at BIGINT NOT NULL,
        confirmed_at BIGINT,
        CONSTRAINT pk_totp_factors PRIMARY KEY (user_id),
        CONSTRAINT fk_totp_factors_user_id FOREIGN KEY(user_id) REFERENCES users (id)
    );
CREATE TABLE usage_counts (
        span BIGINT NOT NULL,
        starts_at BIGINT NOT NULL,
        tenant_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        credential_id TEXT NOT NULL,
        outcome TEXT NOT NULL,
        requests BIGINT NOT NULL,
        CONSTRAINT pk_usage_counts PRIMARY KEY (span, starts_at, tenant_id, user_id, credential_id, outcome),
        CONSTRAINT ck_usage_counts_span CHECK (span IN (60, 3600, 86400)),
        CONSTRAINT ck_usage_counts_requests CHECK (requests > 0)
    ) WITHOUT ROWID
    ;
INSERT INTO "usage_counts" VALUES(60,1899999960000000,'ten_03GANXBiLkJR8MW1gIJF66','usr_03GANXBiLqR3fWQUJfrOhi','key_03GANXBiOEGc8AP40ytbYT','accepted',18);
INSERT INTO "usage_counts" VALUES(3600,1899997200000000,'ten_03GANXBiLkJR8MW1gIJF66','usr_03GANXBiLqR3fWQUJfrOhi','key_03GANXBiOEGc8AP40ytbYT','accepted',18);
INSERT INTO "usage_counts" VALUES(86400,1899936000000000,'ten_03GANXBiLkJR8MW1gIJF66','usr_03GANXBiLqR3fWQUJfrOhi','key_03GANXBiOEGc8AP40ytbYT','accepted',18);
CREATE TABLE usage_writers (
        id TEXT NOT NULL,
        batch BIGINT NOT NULL,
        written_at BIGINT NOT NULL,
        CONSTRAINT pk_usage_writers PRIMARY KEY (id)
    );
INSERT INTO "usage_writers" VALUES('b6a2f33488e5b8cca53e9b0e85017141',13,1900000000000000);
CREATE TABLE users (
        id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        kind VARCHAR(32) NOT NULL,
        email TEXT,
        email_folded TEXT,
        name TEXT NOT NULL,
        role VARCHAR(32) NOT NULL,
        scopes TEXT,
        status VARCHAR(32) NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        CONSTRAINT pk_users PRIMARY KEY (id),
        CONSTRAINT uq_users_tenant_id_id UNIQUE (tenant_id, id),
        CONSTRAINT uq_users_id_kind UNIQUE (id, kind),
        CONSTRAINT ck_users_name_length CHECK (length(name) <= 255),
        CONSTRAINT ck_users_email_length CHECK (length(email) BETWEEN 1 AND 320),
        CONSTRAINT ck_users_scopes_length CHECK (length(scopes) <= 8192),
        CONSTRAINT ck_users_email_folded CHECK ((email IS NULL) = (email_folded IS NULL)),
        CONSTRAINT fk_users_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (id),
        CONSTRAINT ck_users_kind CHECK (kind IN ('person', 'service')),
        CONSTRAINT ck_users_role CHECK (role IN ('owner', 'admin', 'member')),
        CONSTRAINT ck_users_status CHECK (status IN ('active', 'disabled', 'deleted'))
    );
INSERT INTO "users" VALUES('usr_03GANXBiLqR3fWQUJfrOhi','ten_03GANXBiLkJR8MW1gIJF66','person','admin@example.com','admin@example.com','admin@example.com','owner',NULL,'active',1900000000000000,1900000000000000);
INSERT INTO "users" VALUES('usr_03GANXBiO9Q7P6ZcYmjpuO','ten_03GANXBiLkJR8MW1gIJF66','service',NULL,NULL,'retired','member',NULL,'disabled',1900000000000000,1900000000000000);
CREATE INDEX ix_plans_created ON plans (created_at, name);
CREATE INDEX ix_tenants_created ON tenants (created_at, id);
CREATE INDEX ix_tenants_plan ON tenants (plan);
CREATE UNIQUE INDEX uq_tenants_name ON tenants (name) WHERE status <> 'deleted';
CREATE UNIQUE INDEX uq_tenants_operator ON tenants (operator) WHERE operator;
CREATE INDEX ix_users_created ON users (created_at, id);
CREATE INDEX ix_users_tenant_created ON users (tenant_id, created_at, id);
CREATE UNIQUE INDEX uq_users_email ON users (tenant_id, email_folded) WHERE status <> 'deleted';
CREATE INDEX ix_credentials_parent ON credentials (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX ix_credentials_plan ON credentials (plan) WHERE plan IS NOT NULL;
CREATE INDEX ix_audit_events_at ON audit_events (at, id);
CREATE INDEX ix_audit_events_subject ON audit_events (subject_id, at, id);
CREATE INDEX ix_audit_events_tenant_at ON audit_events (tenant_id, at, id);
CREATE INDEX ix_idempotency_claims_expires ON idempotency_claims (expires_at);
CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events
    BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events
    BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE INDEX ix_credentials_created ON credentials (kind, created_at, id);
CREATE INDEX ix_credentials_tenant_created ON credentials (tenant_id, kind, created_at, id);
CREATE INDEX ix_credentials_user_created ON credentials (user_id, kind, created_at, id);
CREATE INDEX ix_credentials_token_ends ON credentials (expires_at) WHERE kind IN ('bearer_token', 'jwt_session', 'oauth_access_token');
CREATE INDEX ix_denials_at ON denials (at);
CREATE INDEX ix_expiry_notices_ends ON expiry_notices (ends_at);
CREATE INDEX ix_credentials_key_ends ON credentials (kind, expires_at)
    WHERE kind IN ('api_key', 'personal_access_token') AND expires_at IS NOT NULL
    ;
CREATE UNIQUE INDEX uq_signing_keys_status ON signing_keys (status) WHERE status <> 'retired';
CREATE INDEX ix_sessions_user_created ON sessions (user_id, created_at, id);
CREATE INDEX ix_sessions_tenant_created ON sessions (tenant_id, created_at, id);
CREATE INDEX ix_refresh_tokens_session ON refresh_tokens (session_id);
CREATE INDEX ix_refresh_tokens_expires ON refresh_tokens (expires_at);
CREATE INDEX ix_one_time_secrets_user ON one_time_secrets (user_id, purpose);
CREATE INDEX ix_one_time_secrets_expires ON one_time_secrets (expires_at);
CREATE INDEX ix_recovery_codes_user ON recovery_codes (user_id);
CREATE INDEX ix_changes_transaction ON changes (transaction_id);
CREATE INDEX ix_clients_created ON clients (created_at, id);
CREATE INDEX ix_clients_tenant_created ON clients (tenant_id, created_at, id);
CREATE INDEX ix_client_secrets_client ON client_secrets (client_id, created_at, id);
CREATE INDEX ix_grants_client ON grants (client_id, created_at, id);
CREATE INDEX ix_grants_session ON grants (session_id);
CREATE INDEX ix_grants_user ON grants (user_id, created_at, id);
CREATE INDEX ix_grant_refresh_tokens_expires ON grant_refresh_tokens (expires_at);
CREATE INDEX ix_grant_refresh_tokens_grant ON grant_refresh_tokens (grant_id);
CREATE INDEX ix_authorization_codes_expires ON authorization_codes (expires_at);
CREATE INDEX ix_pushed_requests_expires ON pushed_requests (expires_at);
CREATE INDEX ix_device_codes_expires ON device_codes (expires_at);
CREATE INDEX ix_consents_client ON consents (client_id);
CREATE INDEX ix_initial_access_tokens_expires ON initial_access_tokens (expires_at);
CREATE INDEX ix_initial_access_tokens_tenant_created ON initial_access_tokens (tenant_id, created_at, id);
CREATE INDEX ix_spent_assertions_expires ON spent_assertions (expires_at);
CREATE INDEX ix_foreign_digests_prefix ON foreign_digests (prefix) WHERE prefix IS NOT NULL;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('changes',27);
COMMIT;
