BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0014');
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
INSERT INTO "audit_events" VALUES('evt_03GANXBiLRbToV22xSbC5G',1900000000000000,'ten_03GANXBiJE2nNh5ff6Oluq','tenant.founded','tenant','ten_03GANXBiJE2nNh5ff6Oluq',NULL,NULL,'first run',NULL,NULL,'{"user_id":"usr_03GANXBiLIqQtCFITOQSd1"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiNJLCbYljtj3XQR',1900000000000000,'ten_03GANXBiJE2nNh5ff6Oluq','api_key.created','api_key','key_03GANXBiNkUv9jDSnRoKYh','usr_03GANXBiLIqQtCFITOQSd1','key_03GANXBiNqWYARvtaLNHpn','api','req_4ri8HPcu7R8qT700000000','127.0.0.1','{"display":"bf_key_03GA\u2026BSwU","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiLIqQtCFITOQSd1"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiJLym4V5eCtAJIq',1900000000000000,'ten_03GANXBiJE2nNh5ff6Oluq','api_key.created','api_key','key_03GANXBiMLbxey1Jcdk2tR','usr_03GANXBiLIqQtCFITOQSd1','key_03GANXBiNqWYARvtaLNHpn','api','req_4ri8HPcu7R8qT700000001','127.0.0.1','{"display":"bf_key_03GA\u20260TyH","name":"test","scopes":["payouts","read"],"user_id":"usr_03GANXBiLIqQtCFITOQSd1"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiMDSaS19YI3G8Is',1900000000000000,'ten_03GANXBiJE2nNh5ff6Oluq','api_key.created','api_key','key_03GANXBiIWsGnZJcA5nzXj','usr_03GANXBiLIqQtCFITOQSd1','key_03GANXBiNqWYARvtaLNHpn','api','req_4ri8HPcu7R8qT700000002','127.0.0.1','{"display":"bf_key_03GA\u2026pvew","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiLIqQtCFITOQSd1"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiK8W065kITwIluA',1900000000000000,'ten_03GANXBiJE2nNh5ff6Oluq','api_key.created','api_key','key_03GANXBiLQJiLJz47aKCCJ','usr_03GANXBiLIqQtCFITOQSd1','key_03GANXBiNqWYARvtaLNHpn','api','req_4ri8HPcu7R8qT700000003','127.0.0.1','{"display":"bf_key_03GA\u202643Do","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiLIqQtCFITOQSd1"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiJrBzt8GE9KWr7u',1900000000000000,'ten_03GANXBiJE2nNh5ff6Oluq','api_key.created','api_key','key_03GANXBiMJYg1aWOO55GZk','usr_03GANXBiLIqQtCFITOQSd1','key_03GANXBiNqWYARvtaLNHpn','api','req_4ri8HPcu7R8qT700000004','127.0.0.1','{"display":"bf_key_03GA\u2026KDYi","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiLIqQtCFITOQSd1"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiIRVxCRrYjAwwbw',1900000000000000,'ten_03GANXBiJE2nNh5ff6Oluq','api_key.created','api_key','key_03GANXBiKQxCv8AyZad7k3','usr_03GANXBiLIqQtCFITOQSd1','key_03GANXBiNqWYARvtaLNHpn','api','req_4ri8HPcu7R8qT700000005','127.0.0.1','{"display":"bf_key_03GA\u2026JkIx","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiLIqQtCFITOQSd1"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiNrXwh8RSy6tR6d',1900000000000000,'ten_03GANXBiJE2nNh5ff6Oluq','api_key.created','api_key','key_03GANXBiKq3QN4E9RYJxHH','usr_03GANXBiLIqQtCFITOQSd1','key_03GANXBiNqWYARvtaLNHpn','api','req_4ri8HPcu7R8qT700000006','127.0.0.1','{"display":"bf_key_03GA\u20265Zhk","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiLIqQtCFITOQSd1"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiL5qlWxMLN3fcXv',1900000000000000,'ten_03GANXBiJE2nNh5ff6Oluq','api_key.created','api_key','key_03GANXBiNz3YYXIU3Tuaob','usr_03GANXBiLIqQtCFITOQSd1','key_03GANXBiNqWYARvtaLNHpn','api','req_4ri8HPcu7R8qT700000007','127.0.0.1','{"display":"bf_key_03GA\u2026hzC1","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiLIqQtCFITOQSd1"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiNhviqqrLp6IupA',1900000000000000,'ten_03GANXBiJE2nNh5ff6Oluq','api_key.created','api_key','key_03GANXBiMTanbMWLKua1to','usr_03GANXBiLIqQtCFITOQSd1','key_03GANXBiNqWYARvtaLNHpn','api','req_4ri8HPcu7R8qT700000008','127.0.0.1','{"display":"bf_key_03GA\u202683W0","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiLIqQtCFITOQSd1"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiKx9iqCzZUPyw26',1900000000000000,'ten_03GANXBiJE2nNh5ff6Oluq','api_key.created','api_key','key_03GANXBiMgzQErvVquew0w','usr_03GANXBiLIqQtCFITOQSd1','key_03GANXBiNqWYARvtaLNHpn','api','req_4ri8HPcu7R8qT700000009','127.0.0.1','{"display":"bf_key_03GA\u2026oPK1","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiLIqQtCFITOQSd1"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiMJkB69nbW2lRcT',1900000000000000,'ten_03GANXBiJE2nNh5ff6Oluq','api_key.disabled','api_key','key_03GANXBiKq3QN4E9RYJxHH','usr_03GANXBiLIqQtCFITOQSd1','key_03GANXBiNqWYARvtaLNHpn','api','req_4ri8HPcu7R8qT70000000A','127.0.0.1','{}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiNRzM5PLRARedXF',1900000000000000,'ten_03GANXBiJE2nNh5ff6Oluq','api_key.revoked','api_key','key_03GANXBiNz3YYXIU3Tuaob','usr_03GANXBiLIqQtCFITOQSd1','key_03GANXBiNqWYARvtaLNHpn','api','req_4ri8HPcu7R8qT70000000B','127.0.0.1','{"reason":"leaked"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiJzIXVaoJyNuBJY',1900000000000000,'ten_03GANXBiJE2nNh5ff6Oluq','api_key.rotated','api_key','key_03GANXBiMTanbMWLKua1to','usr_03GANXBiLIqQtCFITOQSd1','key_03GANXBiNqWYARvtaLNHpn','api','req_4ri8HPcu7R8qT70000000C','127.0.0.1','{"display":"bf_key_03GA\u2026e62K","overlap_seconds":60,"successor_id":"key_03GANXBiKGOhsxo9iEoTXN"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiL0vkPMSL5jhPKE',1900000000000000,'ten_03GANXBiJE2nNh5ff6Oluq','api_key.rotated','api_key','key_03GANXBiMgzQErvVquew0w','usr_03GANXBiLIqQtCFITOQSd1','key_03GANXBiNqWYARvtaLNHpn','api','req_4ri8HPcu7R8qT70000000D','127.0.0.1','{"display":"bf_key_03GA\u2026qExG","overlap_seconds":3600,"successor_id":"key_03GANXBiOIhTAOiEbT35dT"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiIospWvOVZDADCd',1900000000000000,'ten_03GANXBiJE2nNh5ff6Oluq','api_key.revoked','api_key','key_03GANXBiMgzQErvVquew0w','usr_03GANXBiLIqQtCFITOQSd1','key_03GANXBiNqWYARvtaLNHpn','api','req_4ri8HPcu7R8qT70000000E','127.0.0.1','{}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiMtAHvMXSlg3snN',1900000000000000,'ten_03GANXBiJE2nNh5ff6Oluq','user.created','user','usr_03GANXBiKFN1n1DR1Ic99x','usr_03GANXBiLIqQtCFITOQSd1','key_03GANXBiNqWYARvtaLNHpn','api','req_4ri8HPcu7R8qT70000000F','127.0.0.1','{"kind":"service","role":"member","scopes":null}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiL2IjIfQog8ZXkl',1900000000000000,'ten_03GANXBiJE2nNh5ff6Oluq','api_key.created','api_key','key_03GANXBiLriDnOxFGJBhFB','usr_03GANXBiLIqQtCFITOQSd1','key_03GANXBiNqWYARvtaLNHpn','api','req_4ri8HPcu7R8qT70000000G','127.0.0.1','{"display":"bf_key_03GA\u20263Jps","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiKFN1n1DR1Ic99x"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiJOLIL4xu8VW8tV',1900000000000000,'ten_03GANXBiJE2nNh5ff6Oluq','user.changed','user','usr_03GANXBiKFN1n1DR1Ic99x','usr_03GANXBiLIqQtCFITOQSd1','key_03GANXBiNqWYARvtaLNHpn','api','req_4ri8HPcu7R8qT70000000H','127.0.0.1','{"status":"disabled"}');
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
INSERT INTO "changes" VALUES(4,0,'tenant','ten_03GANXBiJE2nNh5ff6Oluq',1900000000000000);
INSERT INTO "changes" VALUES(5,0,'user','usr_03GANXBiLIqQtCFITOQSd1',1900000000000000);
INSERT INTO "changes" VALUES(6,0,'credential_created','key_03GANXBiNqWYARvtaLNHpn',1900000000000000);
INSERT INTO "changes" VALUES(7,0,'credential_created','key_03GANXBiNkUv9jDSnRoKYh',1900000000000000);
INSERT INTO "changes" VALUES(8,0,'credential_created','key_03GANXBiMLbxey1Jcdk2tR',1900000000000000);
INSERT INTO "changes" VALUES(9,0,'credential_created','key_03GANXBiIWsGnZJcA5nzXj',1900000000000000);
INSERT INTO "changes" VALUES(10,0,'credential_created','key_03GANXBiLQJiLJz47aKCCJ',1900000000000000);
INSERT INTO "changes" VALUES(11,0,'credential_created','key_03GANXBiMJYg1aWOO55GZk',1900000000000000);
INSERT INTO "changes" VALUES(12,0,'credential_created','key_03GANXBiKQxCv8AyZad7k3',1900000000000000);
INSERT INTO "changes" VALUES(13,0,'credential_created','key_03GANXBiKq3QN4E9RYJxHH',1900000000000000);
INSERT INTO "changes" VALUES(14,0,'credential_created','key_03GANXBiNz3YYXIU3Tuaob',1900000000000000);
INSERT INTO "changes" VALUES(15,0,'credential_created','key_03GANXBiMTanbMWLKua1to',1900000000000000);
INSERT INTO "changes" VALUES(16,0,'credential_created','key_03GANXBiMgzQErvVquew0w',1900000000000000);
INSERT INTO "changes" VALUES(17,0,'credential','key_03GANXBiKq3QN4E9RYJxHH',1900000000000000);
INSERT INTO "changes" VALUES(18,0,'credential','key_03GANXBiNz3YYXIU3Tuaob',1900000000000000);
INSERT INTO "changes" VALUES(19,0,'credential','key_03GANXBiMTanbMWLKua1to',1900000000000000);
INSERT INTO "changes" VALUES(20,0,'credential_created','key_03GANXBiKGOhsxo9iEoTXN',1900000000000000);
INSERT INTO "changes" VALUES(21,0,'credential','key_03GANXBiMgzQErvVquew0w',1900000000000000);
INSERT INTO "changes" VALUES(22,0,'credential_created','key_03GANXBiOIhTAOiEbT35dT',1900000000000000);
INSERT INTO "changes" VALUES(23,0,'credential','key_03GANXBiMgzQErvVquew0w',1900000000000000);
INSERT INTO "changes" VALUES(24,0,'credential','key_03GANXBiOIhTAOiEbT35dT',1900000000000000);
INSERT INTO "changes" VALUES(25,0,'user','usr_03GANXBiKFN1n1DR1Ic99x',1900000000000000);
INSERT INTO "changes" VALUES(26,0,'credential_created','key_03GANXBiLriDnOxFGJBhFB',1900000000000000);
INSERT INTO "changes" VALUES(27,0,'user','usr_03GANXBiKFN1n1DR1Ic99x',1900000000000000);
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
        CONSTRAINT ck_credentials_bearer_token_seconds CHECK (bearer_token_seconds > 0), client_id TEXT, audiences TEXT, jkt TEXT, act TEXT,
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
INSERT INTO "credentials" VALUES('key_03GANXBiNqWYARvtaLNHpn','api_key','ten_03GANXBiJE2nNh5ff6Oluq','usr_03GANXBiLIqQtCFITOQSd1','admin','admin credentials:verify payouts read write','enterprise','active',NULL,NULL,NULL,'key_03GANXBiNqWYARvtaLNHpn','','{}','bf_key_03GA…8Vg9','usr_03GANXBiLIqQtCFITOQSd1',1900000000000000,1900000000000000,1900000000000000,NULL,NULL,X'CFAC2FA5838B2E0534958E2C76FC2728AE1327D85C1DAF4F4A3329320D70342B','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiNkUv9jDSnRoKYh','api_key','ten_03GANXBiJE2nNh5ff6Oluq','usr_03GANXBiLIqQtCFITOQSd1','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiNkUv9jDSnRoKYh','','{}','bf_key_03GA…BSwU','usr_03GANXBiLIqQtCFITOQSd1',1900000000000000,1900000000000000,NULL,NULL,NULL,X'57669CE8C1A82507911AAE6BF8C567BF3B30BB3735A9191AE14E47BF222FE169','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiMLbxey1Jcdk2tR','api_key','ten_03GANXBiJE2nNh5ff6Oluq','usr_03GANXBiLIqQtCFITOQSd1','test','payouts read',NULL,'active',NULL,NULL,NULL,'key_03GANXBiMLbxey1Jcdk2tR','','{}','bf_key_03GA…0TyH','usr_03GANXBiLIqQtCFITOQSd1',1900000000000000,1900000000000000,NULL,NULL,NULL,X'BCDD8898AB0EA936259D972DEE73A43A493FF9F13B51A88DC6F1899AD817777F','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiIWsGnZJcA5nzXj','api_key','ten_03GANXBiJE2nNh5ff6Oluq','usr_03GANXBiLIqQtCFITOQSd1','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiIWsGnZJcA5nzXj','192.0.2.0/24','{}','bf_key_03GA…pvew','usr_03GANXBiLIqQtCFITOQSd1',1900000000000000,1900000000000000,NULL,NULL,NULL,X'59B275C1E30655785DEB921EA7147CBFA2E896DFD1A509E7078E34FCA0329C3C','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiLQJiLJz47aKCCJ','api_key','ten_03GANXBiJE2nNh5ff6Oluq','usr_03GANXBiLIqQtCFITOQSd1','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiLQJiLJz47aKCCJ','127.0.0.1/32 ::1/128','{"note":"\u00e9"}','bf_key_03GA…43Do','usr_03GANXBiLIqQtCFITOQSd1',1900000000000000,1900000000000000,NULL,NULL,NULL,X'F5928EF89ACC028EE902CAB18A6AAFF2382767E2FD4DBD8B1DFB832D9A0818B1','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiMJYg1aWOO55GZk','api_key','ten_03GANXBiJE2nNh5ff6Oluq','usr_03GANXBiLIqQtCFITOQSd1','test','read write',NULL,'active',2215360000000000,NULL,NULL,'key_03GANXBiMJYg1aWOO55GZk','','{}','bf_key_03GA…KDYi','usr_03GANXBiLIqQtCFITOQSd1',1900000000000000,1900000000000000,NULL,NULL,NULL,X'1C46B41F1F0642403B11C80557FDFC8608B1951E9ADC144ED332518D9F346883','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiKQxCv8AyZad7k3','api_key','ten_03GANXBiJE2nNh5ff6Oluq','usr_03GANXBiLIqQtCFITOQSd1','test','read write',NULL,'active',1900000060000000,NULL,NULL,'key_03GANXBiKQxCv8AyZad7k3','','{}','bf_key_03GA…JkIx','usr_03GANXBiLIqQtCFITOQSd1',1900000000000000,1900000000000000,NULL,NULL,NULL,X'34C7773D254DF893ACED281DA088115182B0B8618C3A63482CA1210EA03202E2','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiKq3QN4E9RYJxHH','api_key','ten_03GANXBiJE2nNh5ff6Oluq','usr_03GANXBiLIqQtCFITOQSd1','test','read write',NULL,'disabled',NULL,NULL,NULL,'key_03GANXBiKq3QN4E9RYJxHH','','{}','bf_key_03GA…5Zhk','usr_03GANXBiLIqQtCFITOQSd1',1900000000000000,1900000000000000,NULL,NULL,NULL,X'43B0644BA4C119A180D1E207336034AFEBC9EE6FB806FA2A947B47E38F5F548A','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiNz3YYXIU3Tuaob','api_key','ten_03GANXBiJE2nNh5ff6Oluq','usr_03GANXBiLIqQtCFITOQSd1','test','read write',NULL,'revoked',NULL,NULL,NULL,'key_03GANXBiNz3YYXIU3Tuaob','','{}','bf_key_03GA…hzC1','usr_03GANXBiLIqQtCFITOQSd1',1900000000000000,1900000000000000,NULL,1900000000000000,'leaked',X'677AD8619F17DC687970BAF5CBC23CA2799AFF86B8422628EE7BF5E3865D7105','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiMTanbMWLKua1to','api_key','ten_03GANXBiJE2nNh5ff6Oluq','usr_03GANXBiLIqQtCFITOQSd1','test','read write',NULL,'active',NULL,1900000060000000,NULL,'key_03GANXBiMTanbMWLKua1to','','{}','bf_key_03GA…83W0','usr_03GANXBiLIqQtCFITOQSd1',1900000000000000,1900000000000000,NULL,NULL,NULL,X'98C6CE499399E3D52823B1569668D9E4BFCC2480F24BBDD59C548851FA41CBA2','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiMgzQErvVquew0w','api_key','ten_03GANXBiJE2nNh5ff6Oluq','usr_03GANXBiLIqQtCFITOQSd1','test','read write',NULL,'revoked',NULL,1900003600000000,NULL,'key_03GANXBiMgzQErvVquew0w','','{}','bf_key_03GA…oPK1','usr_03GANXBiLIqQtCFITOQSd1',1900000000000000,1900000000000000,NULL,1900000000000000,NULL,X'A8321BE73A6EF9C3F3899D29F1609E97E286E2A550BA692388F223F19E449F86','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiKGOhsxo9iEoTXN','api_key','ten_03GANXBiJE2nNh5ff6Oluq','usr_03GANXBiLIqQtCFITOQSd1','test','read write',NULL,'active',NULL,NULL,'key_03GANXBiMTanbMWLKua1to','key_03GANXBiMTanbMWLKua1to','','{}','bf_key_03GA…e62K','usr_03GANXBiLIqQtCFITOQSd1',1900000000000000,1900000000000000,NULL,NULL,NULL,X'5DD551C1540849D856926CFDA21DF351D3EED1118AD329D93E7C1999E8478387','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiOIhTAOiEbT35dT','api_key','ten_03GANXBiJE2nNh5ff6Oluq','usr_03GANXBiLIqQtCFITOQSd1','test','read write',NULL,'revoked',NULL,NULL,'key_03GANXBiMgzQErvVquew0w','key_03GANXBiMgzQErvVquew0w','','{}','bf_key_03GA…qExG','usr_03GANXBiLIqQtCFITOQSd1',1900000000000000,1900000000000000,NULL,1900000000000000,'parent revoked',X'427F5EBA4236FCFB4A39D5F8DB5DCC31F3EF4E70A9061D7EB7BDD0676B343616','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiLriDnOxFGJBhFB','api_key','ten_03GANXBiJE2nNh5ff6Oluq','usr_03GANXBiKFN1n1DR1Ic99x','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiLriDnOxFGJBhFB','','{}','bf_key_03GA…3Jps','usr_03GANXBiLIqQtCFITOQSd1',1900000000000000,1900000000000000,NULL,NULL,NULL,X'990D23645DFB239C04AD0AD2C972DBA087CEE68AB15B104283E9EE8E381EF25E','e18a51f90c52',NULL,NULL,'',NULL,'{}');
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
CREATE TABLE letters (
        id TEXT NOT NULL,
        sealed BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        due_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        tries BIGINT NOT NULL,
        CONSTRAINT pk_letters PRIMARY KEY (id),
        CONSTRAINT ck_letters_tries CHECK (tries >= 0)
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
CREATE TABLE notification_settings (
        user_id TEXT NOT NULL,
        unwanted TEXT NOT NULL,
        updated_at BIGINT NOT NULL,
        CONSTRAINT pk_notification_settings PRIMARY KEY (user_id),
        CONSTRAINT fk_notification_settings_user_id FOREIGN KEY (user_id) REFERENCES users (id)
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
CREATE TABLE passkeys (
        id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        credential_id BLOB NOT NULL,
        public_key BLOB NOT NULL,
        sign_count BIGINT NOT NULL,
        transports TEXT NOT NULL,
        aaguid TEXT NOT NULL,
        name TEXT NOT NULL,
        backup_eligible BOOLEAN NOT NULL,
        backed_up BOOLEAN NOT NULL,
        created_at BIGINT NOT NULL,
        last_used_at BIGINT,
        suspected_at BIGINT,
        CONSTRAINT pk_passkeys PRIMARY KEY (id),
        CONSTRAINT uq_passkeys_credential_id UNIQUE (credential_id),
        CONSTRAINT fk_passkeys_user_id FOREIGN KEY(user_id) REFERENCES users (id),
        CONSTRAINT ck_passkeys_credential_id_length CHECK (length(credential_id) BETWEEN 1 AND 1023),
        CONSTRAINT ck_passkeys_sign_count CHECK (sign_count >= 0),
        CONSTRAINT ck_passkeys_backed_up CHECK (backup_eligible OR NOT backed_up),
        CONSTRAINT ck_passkeys_name_length CHECK (length(name) BETWEEN 1 AND 100)
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
INSERT INTO "passwords" VALUES('usr_03GANXBiLIqQtCFITOQSd1','person','$argon2id$v=19$m=8,t=1,p=1$8MWWNUSIOZ0se++FRqeG5A$J1b4JVKGIgOaD+kAneIMv/CD3nOJHzqTA82ADt2l7Pk',1900000000000000);
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
CREATE TABLE "signing_keys" (
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
        CONSTRAINT ck_signing_keys_status CHECK (status IN ('next', 'current', 'beside', 'retired')),
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
INSERT INTO "tenants" VALUES('ten_03GANXBiJE2nNh5ff6Oluq','default','active','free',1,1900000000000000,1900000000000000,NULL);
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
        requests BIGINT NOT NULL, root_id TEXT,
        CONSTRAINT pk_usage_counts PRIMARY KEY (span, starts_at, tenant_id, user_id, credential_id, outcome),
        CONSTRAINT ck_usage_counts_span CHECK (span IN (60, 3600, 86400)),
        CONSTRAINT ck_usage_counts_requests CHECK (requests > 0)
    ) WITHOUT ROWID
    ;
INSERT INTO "usage_counts" VALUES(60,1899999960000000,'ten_03GANXBiJE2nNh5ff6Oluq','usr_03GANXBiLIqQtCFITOQSd1','key_03GANXBiNqWYARvtaLNHpn','accepted',18,NULL);
INSERT INTO "usage_counts" VALUES(3600,1899997200000000,'ten_03GANXBiJE2nNh5ff6Oluq','usr_03GANXBiLIqQtCFITOQSd1','key_03GANXBiNqWYARvtaLNHpn','accepted',18,NULL);
INSERT INTO "usage_counts" VALUES(86400,1899936000000000,'ten_03GANXBiJE2nNh5ff6Oluq','usr_03GANXBiLIqQtCFITOQSd1','key_03GANXBiNqWYARvtaLNHpn','accepted',18,NULL);
CREATE TABLE usage_writers (
        id TEXT NOT NULL,
        batch BIGINT NOT NULL,
        written_at BIGINT NOT NULL,
        CONSTRAINT pk_usage_writers PRIMARY KEY (id)
    );
INSERT INTO "usage_writers" VALUES('3a9ffd41632cdf6d31b4df54b75da635',3,1900000000000000);
CREATE TABLE used_scopes (
        credential_id TEXT NOT NULL,
        scope TEXT NOT NULL,
        first_used_at BIGINT NOT NULL,
        CONSTRAINT pk_used_scopes PRIMARY KEY (credential_id, scope)
    );
INSERT INTO "used_scopes" VALUES('key_03GANXBiNqWYARvtaLNHpn','write',1900000000000000);
INSERT INTO "used_scopes" VALUES('key_03GANXBiNqWYARvtaLNHpn','admin',1900000000000000);
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
INSERT INTO "users" VALUES('usr_03GANXBiLIqQtCFITOQSd1','ten_03GANXBiJE2nNh5ff6Oluq','person','admin@example.com','admin@example.com','admin@example.com','owner',NULL,'active',1900000000000000,1900000000000000);
INSERT INTO "users" VALUES('usr_03GANXBiKFN1n1DR1Ic99x','ten_03GANXBiJE2nNh5ff6Oluq','service',NULL,NULL,'retired','member',NULL,'disabled',1900000000000000,1900000000000000);
CREATE TABLE webhook_deliveries (
        webhook_id TEXT NOT NULL,
        event_id TEXT NOT NULL,
        action TEXT NOT NULL,
        status VARCHAR(32) NOT NULL,
        created_at BIGINT NOT NULL,
        due_at BIGINT NOT NULL,
        tries BIGINT NOT NULL,
        attempts TEXT NOT NULL,
        CONSTRAINT pk_webhook_deliveries PRIMARY KEY (webhook_id, event_id),
        CONSTRAINT ck_webhook_deliveries_status CHECK (status IN ('waiting', 'delivered', 'failed')),
        CONSTRAINT ck_webhook_deliveries_tries CHECK (tries >= 0)
    );
CREATE TABLE webhooks (
        id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        name TEXT NOT NULL,
        url TEXT NOT NULL,
        events TEXT NOT NULL,
        status VARCHAR(32) NOT NULL,
        disabled_because TEXT,
        failures BIGINT NOT NULL,
        failing_since BIGINT,
        quiet_until BIGINT,
        sealed_secret BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        old_sealed_secret BLOB NOT NULL,
        old_pepper_id TEXT,
        old_secret_until BIGINT,
        created_by TEXT,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        CONSTRAINT pk_webhooks PRIMARY KEY (id),
        CONSTRAINT fk_webhooks_tenant_id FOREIGN KEY (tenant_id) REFERENCES tenants (id),
        CONSTRAINT fk_webhooks_created_by FOREIGN KEY (created_by) REFERENCES users (id),
        CONSTRAINT ck_webhooks_name_length CHECK (length(name) BETWEEN 1 AND 255),
        CONSTRAINT ck_webhooks_url_length CHECK (length(url) BETWEEN 1 AND 2000),
        CONSTRAINT ck_webhooks_status CHECK (status IN ('active', 'disabled')),
        CONSTRAINT ck_webhooks_failures CHECK (failures >= 0)
    );
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
CREATE UNIQUE INDEX uq_signing_keys_status ON signing_keys (status) WHERE status IN ('next', 'current');
CREATE INDEX ix_passkeys_user ON passkeys (user_id, created_at, id);
CREATE INDEX ix_letters_due ON letters (due_at, id);
CREATE INDEX ix_webhooks_tenant ON webhooks (tenant_id, created_at, id);
CREATE INDEX ix_webhook_deliveries_due ON webhook_deliveries (webhook_id, due_at, event_id)
    WHERE status = 'waiting'
    ;
CREATE INDEX ix_webhook_deliveries_webhook ON webhook_deliveries (webhook_id, created_at, event_id);
CREATE INDEX ix_webhook_deliveries_created ON webhook_deliveries (created_at);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('changes',27);
COMMIT;
